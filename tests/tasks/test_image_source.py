"""Image sources of every kind, on small files in the published formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from automl_zero.tasks import ImageSource, Sizes, image_source, make_source
from automl_zero.tasks.image_rows import Role, task_rows
from automl_zero.tasks.images import HELD_OUT_PAIRS, SEARCH_PAIRS
from automl_zero.tasks.streams import purpose_seed
from tests.image_writers import SHAPES, Images, make_images, write_idx, write_kind, write_npz

PURPOSES: tuple[Role, ...] = ("search", "select", "final")
PAIR_SIZES = {
    "search": {"num_tasks": 6, "num_train": 40, "num_valid": 14},
    "select": {"num_tasks": 6, "num_train": 40, "num_valid": 6},
    "final": {"num_tasks": 4, "num_train": 40, "num_valid": 16},
}
ALL_SIZES = {
    "search": {"num_tasks": 3, "num_train": 200, "num_valid": 70},
    "select": {"num_tasks": 3, "num_train": 200, "num_valid": 30},
    "final": {"num_tasks": 3, "num_train": 200, "num_valid": 80},
}
KINDS = [*SHAPES, "images"]


@pytest.fixture(autouse=True)
def no_data_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_ZERO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AUTOML_ZERO_DATA", str(tmp_path / "data"))


def config_of(kind: str, folder: Path) -> dict[str, Any]:
    """The configuration for tasks on small files, which are written."""
    if kind == "images":
        folder.mkdir()
        write_npz(folder / "mine.npz", make_images((6, 6)))
        return {"kind": "images", "path": str(folder / "mine.npz")}
    write_kind(kind, folder)
    return {"kind": kind, "data_dir": str(folder)}


def small_source(kind: str, tmp_path: Path, **settings: Any) -> ImageSource:
    sizes = ALL_SIZES if settings.get("classes") == "all" else PAIR_SIZES
    return cast(ImageSource, make_source(config_of(kind, tmp_path / "data") | sizes | settings))


def rows_read(source: ImageSource, purpose: Role, seed: int) -> tuple[set[int], set[int]]:
    """Every image that the tasks for a purpose train on, and that they validate on."""
    data, _ = source.images.load()
    sizes: Sizes = getattr(source, f"{purpose}_sizes")
    train: set[int] = set()
    valid: set[int] = set()
    for index in range(40):  # more than there are pairs
        choices = source.choices(purpose)  # type: ignore[arg-type]
        own_seed = purpose_seed(seed, purpose)
        rows = task_rows(data, choices, index, sizes.num_train, sizes.num_valid, own_seed, purpose)
        train.update(rows.train.tolist())
        valid.update(rows.valid.tolist())
    return train, valid


@pytest.mark.parametrize("classes", ["pairs", "all"])
@pytest.mark.parametrize("kind", ["digits", *KINDS])
def test_no_set_is_scored_on_images_that_a_set_before_it_reads(kind: str, classes: str, tmp_path: Path) -> None:
    source = image_source(classes=classes) if kind == "digits" else small_source(kind, tmp_path, classes=classes)  # type: ignore[arg-type]
    search = [rows for seed in range(3) for rows in rows_read(source, "search", seed)]
    select_train, select_valid = rows_read(source, "select", 0)
    final_train, final_valid = rows_read(source, "final", 0)
    assert set.union(*search).isdisjoint(select_valid)
    assert set.union(*search, select_train, select_valid, final_train).isdisjoint(final_valid)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_data_set_s_own_test_images_are_set_aside(kind: str, tmp_path: Path) -> None:
    data, _ = small_source(kind, tmp_path).images.load()
    assert np.flatnonzero(data.set_aside).tolist() == list(range(300, 380))
    assert np.bincount(data.labels[data.for_selection]).tolist() == [3] * 10


@pytest.mark.parametrize("kind", KINDS)
def test_the_sets_are_made_of_the_files(kind: str, tmp_path: Path) -> None:
    source = small_source(kind, tmp_path, num_features="all")
    images = make_images(SHAPES.get(kind, (6, 6)))
    pixels = np.concatenate([images.train, images.test]).reshape(380, -1).astype(float)
    labels = np.concatenate([images.train_labels, images.test_labels])
    tasks = source.final(3)
    assert tasks.num_features == source.num_features == pixels.shape[1]
    for index in range(tasks.num_tasks):
        rows = task_rows(source.images.load()[0], HELD_OUT_PAIRS, index, 40, 16, purpose_seed(3, "final"), "final")
        mean, deviation = pixels[rows.train].mean(axis=0), pixels[rows.train].std(axis=0)
        assert tasks.valid_x[index] == pytest.approx((pixels[rows.valid] - mean) / deviation)
        assert np.array_equal(tasks.valid_y[index], labels[rows.valid] == rows.classes[1])


@pytest.mark.parametrize("purpose", PURPOSES)
def test_pairs_are_the_paper_s(purpose: Role, tmp_path: Path) -> None:
    source = small_source("mnist", tmp_path)
    assert source.choices(purpose) == (HELD_OUT_PAIRS if purpose == "final" else SEARCH_PAIRS)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["digits", "fashion-mnist", "images"])
def test_all_classes_at_once_have_vector_labels(kind: str, tmp_path: Path) -> None:
    source = image_source(classes="all") if kind == "digits" else small_source(kind, tmp_path, classes="all")
    assert source.num_classes == 10
    for purpose in PURPOSES:
        tasks = getattr(source, purpose)(0)
        assert tasks.train_y.shape == (tasks.num_tasks, tasks.num_train, 10)
        assert (tasks.num_classes, tasks.evaluation) == (10, "accuracy")
        assert not np.array_equal(tasks.train_x[0], tasks.train_x[1])  # another projection


def test_a_linear_separator_tells_the_classes_of_small_files_apart(tmp_path: Path) -> None:
    tasks = small_source("mnist", tmp_path, num_features=8).search(0)
    right = []
    for x, y, vx, vy in zip(tasks.train_x, tasks.train_y, tasks.valid_x, tasks.valid_y, strict=True):
        weights = np.linalg.lstsq(x, 2 * y - 1, rcond=None)[0]
        right.append(np.mean((vx @ weights > 0) == (vy > 0.5)))
    assert np.mean(right) > 0.8


def test_the_final_score_may_have_features_of_its_own(tmp_path: Path) -> None:
    source = small_source("fashion-mnist", tmp_path, num_features=8, final_features="all")
    assert (source.search(0).num_features, source.select(0).num_features) == (8, 8)
    assert source.final(0).num_features == source.final_num_features == 784
    assert "projected to 8 features (for the final score: with all 784 features (pixels))" in source.describe()


@pytest.mark.parametrize("purpose", PURPOSES)
def test_seeds_and_indices_alone_determine_a_task(purpose: Role, tmp_path: Path) -> None:
    source = small_source("mnist", tmp_path)
    fewer = small_source_again(tmp_path, **{purpose: {**PAIR_SIZES[purpose], "num_tasks": 3}})
    first, few = getattr(source, purpose)(1), getattr(fewer, purpose)(1)
    for field in ("train_x", "train_y", "valid_x", "valid_y", "seeds"):
        assert np.array_equal(getattr(first, field)[:3], getattr(few, field))
    assert not np.any(first.train_x == getattr(source, purpose)(2).train_x)


def small_source_again(tmp_path: Path, **settings: Any) -> ImageSource:
    config = {"kind": "mnist", "data_dir": str(tmp_path / "data")}
    return cast(ImageSource, make_source(config | PAIR_SIZES | settings))


def test_compressed_and_plain_files_make_the_same_tasks(tmp_path: Path) -> None:
    first = small_source("mnist", tmp_path).search(0)
    plain = tmp_path / "plain"
    write_idx(plain, make_images((28, 28)), compressed=False)
    again = make_source({"kind": "mnist", "data_dir": str(plain)} | PAIR_SIZES).search(0)
    assert np.array_equal(first.train_x, again.train_x)


def test_default_sizes_are_the_paper_s() -> None:
    source = image_source("cifar10")
    assert [source.search_sizes, source.select_sizes, source.final_sizes] == [
        Sizes(10, 8000, 1000),
        Sizes(100, 8000, 1000),
        Sizes(90, 8000, 2000),
    ]
    every = image_source("cifar10", classes="all")
    assert (every.search_sizes, every.epochs) == (Sizes(10, 40_000, 5000), 1)
    assert image_source("cifar10", final_features="all").final_sizes == Sizes(9, 8000, 2000)


def test_default_sizes_of_the_user_s_images_use_what_there_is(tmp_path: Path) -> None:
    write_npz(tmp_path / "mine.npz", make_images((3, 3)), with_test=False)
    source = image_source("images", 4, path=str(tmp_path / "mine.npz"))
    # Of 30 images of each class 6 are set aside and 2 are for selection.
    assert source.search_sizes == Sizes(10, 36, 8)
    assert source.select_sizes == Sizes(100, 36, 4)
    assert source.final_sizes == Sizes(90, 36, 12)
    for purpose in PURPOSES:
        assert getattr(source, purpose)(0).num_features == 4


def test_the_user_s_images_may_have_any_number_of_classes(tmp_path: Path) -> None:
    images = make_images((4, 4))
    names = np.array(["ant", "bee", "cat"])[images.train_labels % 3]
    np.savez(tmp_path / "mine.npz", x=images.train, y=names)
    path = str(tmp_path / "mine.npz")
    pairs = image_source("images", 4, path=path)
    assert {*pairs.choices("search"), *pairs.choices("final")} == {(0, 1), (0, 2), (1, 2)}
    assert image_source("images", 4, classes="all", path=path).search(0).num_classes == 3
    with pytest.raises(ValueError, match="num_features must be at least 3, the number of classes, got 2"):
        image_source("images", 2, classes="all", path=path)


@pytest.mark.parametrize("kind", ["fashion-mnist", "images"])
@pytest.mark.parametrize(
    ("purpose", "size", "message"),
    [
        (
            "search",
            {"num_train": 41},
            r"search: num_train \+ num_valid must be at most 54, the images for search of cl",
        ),
        ("select", {"num_valid": 7}, "select: num_valid must be at most 6, the images for selection of classes"),
        ("final", {"num_valid": 17}, "final: num_valid must be at most 16, the set-aside images of classes"),
        ("final", {"num_train": 61}, "final: num_train must be at most 60, the images that are not set aside of"),
    ],
)
def test_more_images_than_there_are_are_refused_before_any_search(
    kind: str, purpose: str, size: dict[str, int], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        small_source(kind, tmp_path, **{purpose: {**PAIR_SIZES[purpose], **size}}).search(0)


def test_a_class_with_too_few_examples_is_refused(tmp_path: Path) -> None:
    images = make_images((28, 28))
    keep = (images.train_labels != 4) | (np.cumsum(images.train_labels == 4) < 10)
    fewer = Images(images.train[keep], images.train_labels[keep], images.test, images.test_labels)
    write_kind("mnist", tmp_path / "data", fewer)
    with pytest.raises(ValueError, match=r"^mnist: class 4 has 9 training images; at least 10 are needed"):
        make_source({"kind": "mnist"}).search(0)


def test_a_class_without_test_images_is_refused(tmp_path: Path) -> None:
    images = make_images((28, 28))
    kept = images.test_labels != 7
    write_idx(tmp_path / "data", Images(images.train, images.train_labels, images.test[kept], images.test_labels[kept]))
    with pytest.raises(ValueError, match=r"^mnist: class 7 has no test images"):
        make_source({"kind": "mnist"}).search(0)


def test_one_class_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=np.zeros((50, 4)), y=np.zeros(50, dtype=int))
    with pytest.raises(ValueError, match="at least two classes are needed, there is 1"):
        make_source({"kind": "images", "path": str(tmp_path / "mine.npz")})


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    write_idx(tmp_path / "data", make_images((28, 27)))
    with pytest.raises(
        ValueError, match=r"train-images-idx3-ubyte\.gz: holds images of 28 x 27 pixels, where 28 x 28 are"
    ):
        make_source({"kind": "fashion-mnist"}).search(0)


def test_damaged_files_are_refused_when_tasks_are_made(tmp_path: Path) -> None:
    source = small_source("mnist", tmp_path)
    path = tmp_path / "data" / "mnist" / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz: is a truncated or damaged gzip file"):
        source.search(0)


def test_a_set_that_takes_too_much_memory_is_refused() -> None:
    few = (
        "final: 90 tasks of 8000/2000 examples with 3072 features take 20.6 GiB; at most 4 GiB are allowed, so ask for"
    )
    with pytest.raises(ValueError, match=few):
        image_source("cifar10", final_features="all", final_sizes=Sizes(90, 8000, 2000))
