"""Fine-tuning through the real SDK against a stand-in on loopback."""

import pytest

from framework.chat.openai_tuning import Event, Job, OpenAITuning, Order
from framework.errors import ChatRefused, ChatUnavailable
from tests.fakes.openai_tuning_server import GOOD_COURSE, KEY, LOST, LOST_AFTER, MODEL, tuning_server

ORDER = Order("gpt-4o-mini-2024-07-18", "file-1", "mark", suffix="prices", wandb="my-project", epochs=2)


def _service(server, key=KEY):
    pauses = []
    return OpenAITuning(key, base_url=server.url, timeout=20, sleep=pauses.append), pauses


def test_a_file_is_sent_as_it_is_and_a_job_gets_what_was_ordered(tmp_path):
    (tmp_path / "train.jsonl").write_text('{"messages": []}\n')
    with tuning_server() as server:
        service, _ = _service(server)
        assert service.upload(tmp_path / "train.jsonl") == "file-1"
        job = service.start(ORDER)
    assert b'{"messages": []}' in server.files["file-1"]
    asked = server.jobs[job.id]
    assert (asked["model"], asked["suffix"], asked["training_file"]) == (ORDER.base, "prices", "file-1")
    assert asked["method"]["supervised"]["hyperparameters"] == {"n_epochs": 2}
    assert asked["integrations"] == [{"type": "wandb", "wandb": {"project": "my-project"}}]
    assert asked["metadata"] == {"dealhound": "mark"}
    assert "validation_file" not in asked


def test_events_come_once_and_in_order_and_the_ended_job_last():
    with tuning_server() as server:
        service, pauses = _service(server)
        job = service.start(ORDER)
        *events, last = service.follow(job.id)
    assert [event.message for event in events] == [said for _, says in GOOD_COURSE for said in says]
    assert [(event.step, event.steps) for event in events if event.step] == [(n, 4) for n in (1, 2, 3, 4)]
    assert isinstance(last, Job)
    assert (last.status, last.model, last.trained_tokens) == ("succeeded", MODEL, 1_234)
    assert len(pauses) == len(GOOD_COURSE) - 1


def test_following_survives_a_lost_connection_and_a_busy_server():
    with tuning_server() as server:
        service, _ = _service(server)
        job = service.start(ORDER)
        server.faults = [("GET .*/events", LOST, ""), ("GET .*ftjob-1$", 429, "slow down"), ("GET .*ftjob", 503, "no")]
        *events, last = service.follow(job.id)
    assert last.model == MODEL
    assert len(events) == len({event.id for event in events}) == sum(len(says) for _, says in GOOD_COURSE)


def test_following_gives_up_on_a_server_that_stays_away():
    with tuning_server() as server:
        service, pauses = _service(server)
        job = service.start(ORDER)
        server.faults = [("GET", LOST, "")] * 8
        with pytest.raises(ChatUnavailable):
            list(service.follow(job.id))
    assert len(pauses) == 7


def test_a_job_that_fails_says_why():
    course = (("validating_files", ["Created"]), ("failed", ["The job failed"]))
    with tuning_server(course, "The validation file has 3 examples with the wrong role; key sk-proj-abc123") as server:
        service, _ = _service(server)
        *_, last = service.follow(service.start(ORDER).id)
    assert last.status == "failed"
    assert "wrong role" in last.problem
    assert "abc123" not in last.problem


def test_a_cancelled_job_ends():
    with tuning_server() as server:
        service, _ = _service(server)
        job = service.start(ORDER)
        assert service.cancel(job.id).status == "cancelled"
        *_, last = service.follow(job.id)
    assert (last.status, last.model) == ("cancelled", None)


def test_a_job_is_found_again_by_its_mark_after_a_lost_answer():
    with tuning_server() as server:
        service, _ = _service(server)
        server.faults = [("POST .*jobs$", LOST_AFTER, "")]
        with pytest.raises(ChatUnavailable):
            service.start(ORDER)
        assert len(server.jobs) == 1, "it was not sent a second time"
        assert service.find("mark").id == "ftjob-1"
        assert service.find("another") is None


def test_a_wrong_key_is_told_and_not_shown():
    with tuning_server() as server:
        service, _ = _service(server, "sk-proj-very-secret-9999")
        with pytest.raises(ChatRefused, match="OPENAI_API_KEY") as caught:
            service.job("ftjob-1")
    assert "9999" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "sentence"), [(400, "File .* has an error"), (403, "OPENAI_API_KEY"), (404, "has an error")]
)
def test_a_refusal_is_told_in_the_servers_words(status, sentence):
    with tuning_server() as server:
        service, _ = _service(server)
        server.faults = [("POST .*jobs", status, "File file-1 has an error; your key is sk-live-123456")]
        with pytest.raises(ChatRefused, match=sentence) as caught:
            service.start(ORDER)
    assert "123456" not in str(caught.value)


def test_an_unknown_job_is_told():
    with tuning_server() as server:
        service, _ = _service(server)
        with pytest.raises(ChatRefused, match="Could not find ftjob-9"):
            service.job("ftjob-9")


def test_an_event_without_data_is_a_plain_line():
    with tuning_server((("succeeded", ["Done"]),)) as server:
        service, _ = _service(server)
        event, _ = service.follow(service.start(ORDER).id)
    assert isinstance(event, Event)
    assert (event.message, event.step, event.loss) == ("Done", None, None)
