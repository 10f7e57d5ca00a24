"""The figures of docs/accuracy.md: the dev split, blended by coefficients fitted on its other half.

    python -m benchmarks.accuracy PRODUCTS.jsonl[.gz] [--catalogue full shipped] [--least 20] [--html PAGE]
                                  [--json FILE] [--baselines] [--release]

Encodes the products once (kept in runs/), lets every member price the dev split with each catalogue, and prints the
table for the catalogues asked for: "full" is all of ``train``, "shipped" that of a fresh home.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from framework.judge import JudgeRule
from models.artifact import SHIPPED
from models.encoder import Encoder
from models.evaluate.evaluation import fit_baselines
from models.evaluate.report import text_table, write_html
from models.evaluate.run import evaluate_dev
from models.specialist import Specialist
from models.train.members import CATALOGUES, gather_answers, load_corpus


def without_prices(report: dict[str, object]) -> dict[str, object]:
    """The report without what states single products' prices: the data are not ours to publish."""
    tenths = [{**row, **{end: float(f"{row[end]:.1g}") for end in ("from", "to")}} for row in report["by_price"]]
    return {**report, "scatter": [], "by_price": tenths}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("products", type=Path)
    parser.add_argument("--catalogue", nargs="+", choices=list(CATALOGUES), default=["full", "shipped"])
    parser.add_argument("--least", type=float, help="least discount in dollars; the judge's default else")
    parser.add_argument("--html", type=Path, help="also write a page with plots, for the first catalogue")
    parser.add_argument("--json", type=Path, help="also write all figures, by catalogue")
    parser.add_argument("--baselines", action="store_true")
    parser.add_argument("--release", action="store_true", help="put the shipped catalogue's report into the release")
    args = parser.parse_args()
    corpus = load_corpus(args.products)
    answers, dev = gather_answers(corpus, Specialist(Encoder()))
    train = [product for product in corpus.products if product.split == "train"]
    rule = JudgeRule(min_discount=args.least) if args.least is not None else JudgeRule()
    baselines = fit_baselines(train, dev) if args.baselines else None
    reports = {
        name: evaluate_dev(dev, train, answers, CATALOGUES, name, rule=rule, baselines=baselines)
        for name in args.catalogue
    }
    for name, report in reports.items():
        print(f"\ncatalogue: {name}\n{text_table(report)}")
    if args.release:
        content = json.dumps(without_prices(reports["shipped"]), indent=1) + "\n"
        (SHIPPED / "evaluation.json").write_text(content, encoding="utf-8")
    if args.html:
        args.html.write_text(write_html(reports[args.catalogue[0]]), encoding="utf-8")
    if args.json:
        args.json.write_text(json.dumps(reports, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
