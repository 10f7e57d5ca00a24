"""The deals' pictures: told by their bytes, made small, fetched once in the background, and served by id only."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import framework.web.pictures
from framework.errors import ConnectionFailed
from framework.thumbnail import SIDE, thumbnail
from framework.web.pictures import Pictures

URL = "https://shop.example/a.jpg"


def picture(kind: str = "PNG", size: tuple[int, int] = (800, 400), mode: str = "RGB") -> bytes:
    drawn = io.BytesIO()
    Image.new(mode, size, 200 if mode in ("L", "P") else "teal").save(drawn, kind)
    return drawn.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "LA"), ("JPEG", "L"), ("JPEG", "CMYK"), ("GIF", "P"),
     ("WEBP", "RGB")],
)  # fmt: skip
def test_common_pictures_become_small_ones(kind: str, mode: str) -> None:
    drawn = io.BytesIO()
    Image.new(mode, (800, 400)).save(drawn, kind)
    small = thumbnail(drawn.getvalue())
    assert small is not None
    with Image.open(io.BytesIO(small)) as opened:
        assert (opened.format, opened.size) == ("WEBP", (SIDE, SIDE // 2))


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"<html>no picture</html>",
     picture()[:60], picture("TIFF"), picture("BMP"), b"\x89PNG\r\n\x1a\n" + b"\0" * 200, b"%PDF-1.7"],
)  # fmt: skip
def test_what_is_no_picture_of_a_known_kind_is_refused(data: bytes) -> None:
    assert thumbnail(data) is None


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded() -> None:
    bomb = picture(size=(6_000, 6_000), mode="L")
    assert len(bomb) < 200_000
    assert thumbnail(bomb) is None


def test_metadata_does_not_come_along() -> None:
    drawn = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "secret description"
    Image.new("RGB", (80, 80)).save(drawn, "JPEG", exif=exif)
    assert b"secret" in drawn.getvalue()
    assert b"secret" not in (thumbnail(drawn.getvalue()) or b"secret")


def test_a_picture_is_fetched_once_in_the_background_and_then_here(tmp_path: Path) -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return picture()

    pictures = Pictures(tmp_path / "pictures", fetch)
    assert pictures.read(URL) is None
    assert not pictures.have(URL)
    pictures.wait()
    assert pictures.have(URL)
    assert (pictures.read(URL) or b"")[8:12] == b"WEBP"
    assert asked == [URL]
    assert Pictures(tmp_path / "pictures", None).have(URL)


@pytest.mark.parametrize("answer", [lambda url: b"<html>", lambda url: _fail(url)], ids=["no picture", "no answer"])
def test_what_failed_is_not_asked_for_again_for_hours(tmp_path: Path, answer: Callable[[str], bytes]) -> None:
    now, asked = [0.0], []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return answer(url)

    pictures = Pictures(tmp_path, fetch, clock=lambda: now[0])
    for _ in range(3):
        assert not pictures.have(URL)
        pictures.wait()
    assert asked == [URL]
    now[0] += 7 * 3600
    pictures.have(URL)
    pictures.wait()
    assert asked == [URL, URL]


def _fail(url: str) -> bytes:
    raise ConnectionFailed(url, "refused")


def test_the_folder_stays_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framework.web.pictures, "_MOST_KEPT", 3)
    pictures = Pictures(tmp_path, lambda url: picture())
    for number in range(6):
        pictures.have(f"{URL}?{number}")
    pictures.wait()
    assert len(list(tmp_path.iterdir())) == 3
