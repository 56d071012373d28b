"""The page that ``automl-zero report`` writes."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from automl_zero import programs
from automl_zero.evolution.config import load_config
from automl_zero.evolution.run_directory import RunDirectory
from automl_zero.evolution.sources import data_config
from automl_zero.memory import MemorySpec
from automl_zero.program import Program
from automl_zero.report import make_report
from automl_zero.report.page import SECTIONS
from tests.report.pages import Element, parsed
from tests.report.run_dirs import METRICS, WriteRun, lineage, metric

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def root(full_page: str) -> Element:
    return parsed(full_page)


def section(root: Element, ident: str) -> Element:
    return next(s for s in root.all("section") if s.attributes["id"] == ident)


def words(element: Element) -> str:
    return " ".join(element.words.split())


def test_every_section_is_there_and_listed(root: Element) -> None:
    assert [s.attributes["id"] for s in root.all("section")] == [ident for ident, *_ in SECTIONS]
    assert [a.attributes["href"] for a in root.all("nav")[0].all("a")] == [f"#{ident}" for ident, *_ in SECTIONS]


def test_the_verdict_names_the_fitness_and_the_other_models(root: Element) -> None:
    lead = next(p for p in root.all("p") if p.attributes.get("class") == "lead")
    assert re.search(r"reaches mean fitness 0\.\d+ on 3 unseen tasks, .* linear regression and .* network", lead.text)
    assert re.search(r"Its core of [56] instructions reaches", lead.text)


def test_the_program_is_shown_as_it_evolved_and_simplified(root: Element) -> None:
    titles = [words(title) for title in section(root, "program").all("h3")]
    assert titles[0].startswith("The core")
    assert "Simplified exactly 7 instructions" in titles
    assert "As it evolved 8 instructions" in titles
    code = words(section(root, "program"))
    for name in ("learning_rate", "weights", "error"):
        assert name in code


def test_the_exports_are_folded(root: Element) -> None:
    folded = {words(d.all("summary")[0]): d for d in section(root, "program").all("details")}
    assert "class Model" in next(words(d) for title, d in folded.items() if "NumPy" in title)
    assert r"\begin{aligned}" in next(words(d) for title, d in folded.items() if "LaTeX" in title)
    assert not any("open" in d.attributes for d in folded.values())


def test_knock_outs_motifs_and_data_flow_are_shown(root: Element) -> None:
    text = words(section(root, "explanation"))
    for expected in ("gradient step", "inner product model", "Data flow", "predict[0]", "learned parameter"):
        assert expected in text
    captions = [words(c) for c in section(root, "explanation").all("caption")]
    assert any("when one instruction is taken out" in caption for caption in captions)


def test_the_search_is_drawn_against_individuals_and_time(root: Element) -> None:
    figures = [words(f.all("figcaption")[0]) for f in section(root, "search").all("figure")]
    assert [f.split(" ", 1)[0] for f in figures] == ["Fitness", "Fitness", "Cache", "Speed"]
    breaks = [e for e in section(root, "search").everything if e.attributes.get("class") == "break"]
    assert len(breaks) == 4  # the second experiment, in each chart


def test_the_lineage_shows_what_each_mutation_changed(root: Element) -> None:
    step = section(root, "lineage").all("li")[0]
    assert "insert instruction, individual 345 of island 2" in words(step)
    assert len(step.all("ins")) == 6
    assert "This run recorded no lineage." not in words(root)


def test_the_cost_stands_beside_well_known_ones(root: Element) -> None:
    text = words(section(root, "cost"))
    for expected in ("GPT-3", "1,287 MWh", "Patterson et al. 2021", "Strubell et al. 2019", "475 g", "1.58"):
        assert expected in text


def test_the_page_is_complete_without_network_and_runs_nothing(full_page: str, root: Element) -> None:
    assert full_page.startswith("<!DOCTYPE html>\n<html lang=")
    assert root.all("script") == []
    for element in root.everything:
        assert not any(name.startswith("on") for name in element.attributes)
        assert {"src", "srcset", "data", "action"} & set(element.attributes) == set()
        if "href" in element.attributes:  # links are followed by readers, and by nothing else
            assert element.tag == "a"
    css = root.all("style")[0].text
    assert "@import" not in css
    assert "url(" not in css
    policy = next(m for m in root.all("meta") if m.attributes.get("http-equiv") == "Content-Security-Policy")
    assert str(policy.attributes["content"]).startswith("default-src 'none';")


def test_the_page_is_small(full_page: str) -> None:
    assert len(full_page.encode()) < 200_000


def test_identifiers_are_unique_and_references_lead_somewhere(root: Element) -> None:
    count = Counter(e.attributes["id"] for e in root.everything if "id" in e.attributes)
    assert [ident for ident, number in count.items() if number > 1] == []
    for element in root.everything:
        for ident in str(element.attributes.get("aria-labelledby") or "").split():
            assert ident in count
        href = str(element.attributes.get("href") or "")
        assert not href.startswith("#") or href[1:] in count


def test_every_picture_has_words_or_is_hidden(root: Element) -> None:
    shown = [svg for svg in root.all("svg") if svg.attributes.get("aria-hidden") != "true"]
    assert len(shown) >= 6
    for svg in shown:
        assert svg.attributes["role"] == "img"
        assert all(len(svg.all(tag)[0].text) > 3 for tag in ("title", "desc"))


def test_every_table_has_a_caption_and_scopes(root: Element) -> None:
    assert len(root.all("table")) >= 8
    for table in root.all("table"):
        assert len(words(table.all("caption")[0])) > 3
        assert all(th.attributes.get("scope") in ("col", "row") for th in table.all("th"))


def test_what_scrolls_can_be_reached_by_keyboard_and_has_a_name(root: Element) -> None:
    regions = [e for e in root.everything if e.attributes.get("class") == "scroll"]
    assert len(regions) >= 10
    assert all(e.attributes["tabindex"] == "0" and e.attributes["aria-label"] for e in regions)
    assert root.all("body")[0].children[0].attributes["class"] == "skip"


def test_headings_skip_no_level(root: Element) -> None:
    levels = [int(e.tag[1]) for e in root.everything if re.fullmatch(r"h\d", e.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_what_files_say_cannot_become_markup(write_run: WriteRun) -> None:
    path = write_run(overrides=(f'name="{HOSTILE}"',), steps=[{**lineage()[1], "mutation": HOSTILE}])
    record = json.loads((path / "result.json").read_text(encoding="utf-8"))
    record |= {"versions": {HOSTILE: HOSTILE}, "machine": {HOSTILE: HOSTILE}}
    (path / "result.json").write_text(json.dumps(record), encoding="utf-8")
    page = make_report(path, num_tasks=0)
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;") >= 6
    assert parsed(page).all("script") == []


def test_a_hostile_column_name_cannot_become_markup(write_run: WriteRun) -> None:
    data = write_run("data").parent / f"{HOSTILE.replace('/', '')}.csv"
    data.write_text("a,b\n1,2\n" * 3, encoding="utf-8")
    path = write_run()
    config = (path / "config.toml").read_text(encoding="utf-8")
    tasks = f"[tasks]\nkind = 'file'\npath = '{data}'\ntarget = '{HOSTILE}'\n"
    (path / "config.toml").write_text(re.sub(r"\[tasks\].*?(?=\n\[(?!tasks))", tasks, config, flags=re.S), "utf-8")
    page = make_report(path)
    assert HOSTILE not in page
    assert "Nothing was measured: " in page


def test_of_a_table_the_report_says_that_errors_tell_nothing_of_other_rows(write_run: WriteRun) -> None:
    data = write_run("data").parent / "table.csv"
    data.write_text("a,b,y\n" + "".join(f"{n},{n % 7},{2 * n + n % 7}\n" for n in range(40)), encoding="utf-8")
    path = write_run()
    RunDirectory(path).write_config(load_config(data_config(data, "y")).to_toml())
    text = words(parsed(make_report(path, num_tasks=2)))
    assert "on 8 unseen rows, in 2 trainings, " in text
    assert "the errors tell how training varies, not how other rows would do" in text


def test_a_run_without_result_is_reported_as_far_as_it_is(write_run: WriteRun) -> None:
    root = parsed(make_report(write_run(finished=False)))
    text = words(root)
    assert "The run has no result.json, which is written when a run ends; this report shows what there is." in text
    assert "Nothing was measured: the seed of the run, from which its final tasks are made, is not known." in text
    cost = words(section(root, "cost"))
    assert "This is for the first 4 s of the run, as far as they were recorded. Memory is known only from" in cost
    assert "This run recorded no lineage." in text
    assert len(section(root, "search").all("figure")) == 4
    assert "weights" in words(section(root, "program"))


def test_a_cost_that_is_not_known_is_called_so(write_run: WriteRun) -> None:
    path = write_run(finished=False)
    lines = [{**record, "cpu_seconds": None} for record in METRICS]
    (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    root = parsed(make_report(path, num_tasks=0))
    assert "The CPU time of the run is not known, so its cost cannot be estimated." in words(section(root, "cost"))
    assert "CPU time and cost not known" in words(root.all("header")[0])
    assert "Wh" not in words(root.all("header")[0])


def test_a_run_that_has_just_begun_has_a_report_too(write_run: WriteRun) -> None:
    path = write_run(finished=False)
    for name in ("best.json", "metrics.jsonl", "hall_of_fame.jsonl"):
        (path / name).unlink()
    text = words(parsed(make_report(path)))
    assert "No program has been found yet." in text
    assert "The run has not reported any progress yet." in text


def test_damaged_files_are_named_at_the_top(write_run: WriteRun) -> None:
    path = write_run()
    for name in ("result.json", "best.json"):
        (path / name).write_text("{", encoding="utf-8")
    header = words(parsed(make_report(path)).all("header")[0])
    assert "result.json cannot be used: it is not JSON, so it was cut off or changed." in header
    assert "The result.json of the run cannot be used; this report shows what the other files hold." in header
    assert "In place of best.json, the program with the highest search fitness of hall_of_fame.jsonl is" in header
    assert "The best program has 7 instructions when simplified." in header
    (path / "hall_of_fame.jsonl").unlink()
    header = words(parsed(make_report(path)).all("header")[0])
    assert "No program can be shown: best.json and result.json cannot be used, and hall_of_fame.jsonl is" in header
    assert "highest search fitness 0.9900" in header


# -- its lineage -----------------------------------------------------------------------------------------------------


def lineage_text(path: Path) -> str:
    return words(section(parsed(make_report(path, num_tasks=0)), "lineage"))


def test_steps_are_counted_and_lead_to_the_program_that_is_shown(write_run: WriteRun) -> None:
    path = write_run(steps=lineage())
    text = lineage_text(path)
    assert "1 step led from an initial program to one with search fitness 0.9900, which is not the one above." in text
    assert "unfolded" not in text  # all of them are
    programs.linear().save(path / "best.json")
    assert "1 step led from an initial program to the best one." in lineage_text(path)
    for name in ("best.json", "result.json", "hall_of_fame.jsonl", "lineage.jsonl"):
        (path / name).unlink()
    assert lineage_text(path).endswith("This run recorded no lineage.")


def test_one_step_that_gained_less_is_spoken_of_as_one(write_run: WriteRun) -> None:
    start, step = lineage()
    text = lineage_text(write_run(steps=[start, *({**step, "individual": n} for n in range(41))]))
    assert "41 steps led from" in text
    assert "the steps that gained most are unfolded" in text
    assert "The other step, which gained less" in text


def test_random_search_has_no_lineage(write_run: WriteRun) -> None:
    only = {**lineage()[1], "mutation": "refinement", "parent": None, "parent_fitness": None}
    text = lineage_text(write_run(overrides=("search=random",), steps=[only]))
    assert "Random search has no lineage: each program is drawn anew, and none descends from another." in text
    assert "in its line no mutation made a program clearly fitter" in lineage_text(write_run("other", steps=[only]))


def test_a_lineage_that_cannot_be_read_is_not_called_empty(write_run: WriteRun) -> None:
    path = write_run(steps=[])
    (path / "lineage.jsonl").write_text("{\n", encoding="utf-8")
    assert "lineage.jsonl holds no step that can be read." in lineage_text(path)


# -- its program and tasks -------------------------------------------------------------------------------------------


def test_an_empty_program_is_reported(write_run: WriteRun) -> None:
    path = write_run()
    programs.empty().save(path / "best.json")
    text = words(parsed(make_report(path, num_tasks=1)))
    assert "Simplified, it has 0 instructions." in text
    assert "No instruction can influence a prediction." in text


def test_a_program_that_does_not_fit_the_tasks_is_still_shown(write_run: WriteRun) -> None:
    small = Program(MemorySpec(4, 2, 1), (), (), ())
    path = write_run(steps=[{**lineage()[1], "program": small.to_dict()}])
    RunDirectory(path).write_config(load_config("multi-class").to_toml())
    small.save(path / "best.json")
    text = words(parsed(make_report(path)))
    assert re.search("Nothing was measured: .*vector", text)
    assert "As it evolved 0 instructions" in text


def test_data_that_are_not_on_this_machine_are_missed_in_a_sentence(
    write_run: WriteRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUTOML_ZERO_DATA", str(tmp_path / "none"))
    path = write_run(overrides=("tasks.select=none", "tasks.final=none"))
    RunDirectory(path).write_config(load_config("fashion-mnist", [f"tasks.data_dir={tmp_path}"]).to_toml())
    text = words(parsed(make_report(path)))
    assert re.search("Nothing was measured: .*fashion", text, flags=re.IGNORECASE)


def test_a_solved_run_says_so(write_run: WriteRun) -> None:
    text = make_report(write_run(outcome={"solved": True, "select_fitness": 0.99995}), num_tasks=0)
    assert "Solved: select fitness 0.999950 exceeds the target, 0.9999." in text
    assert "Not solved: no program exceeded the target select fitness, 0.9999." in make_report(
        write_run("other"), num_tasks=0
    )


def test_more_tasks_than_there_are_are_refused(write_run: WriteRun) -> None:
    with pytest.raises(ValueError, match="num_tasks must be at most 3"):
        make_report(write_run(), num_tasks=4)


def test_a_long_run_makes_no_long_page(write_run: WriteRun) -> None:
    path = write_run(finished=False)
    lines = "".join(json.dumps(metric(1000 * n, 0.5 + n / 1e5, 1 + n // 50)) + "\n" for n in range(1, 20_000))
    (path / "metrics.jsonl").write_text(lines, encoding="utf-8")
    steps = [{**lineage()[1], "individual": n, "fitness": 0.3 + n / 1000} for n in range(300)]
    (path / "lineage.jsonl").write_text("".join(json.dumps(s) + "\n" for s in [lineage()[0], *steps]), "utf-8")
    page = make_report(path, num_tasks=0)
    assert "The 260 other steps, which gained less" in page
    assert len(page.encode()) < 500_000
