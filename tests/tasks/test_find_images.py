from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from automl_zero.tasks import ImageSource, image_source, make_source
from automl_zero.tasks.image_files import checksums, find
from automl_zero.tasks.image_files.find import find_files
from automl_zero.tasks.image_files.kinds import IMAGE_KINDS
from tests.image_writers import (
    SHAPES,
    Images,
    make_images,
    write_cifar_binary,
    write_cifar_python,
    write_idx,
    write_kind,
    write_npz,
)

FASHION = IMAGE_KINDS["fashion-mnist"]
SMALL = make_images((28, 28), of_class=10, test_of_class=1)


@pytest.fixture(autouse=True)
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without data, whatever this one has."""
    monkeypatch.delenv("AUTOML_ZERO_DATA", raising=False)
    monkeypatch.setenv("AUTOML_ZERO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(find, "SYSTEM_FOLDER", tmp_path / "system")
    return tmp_path / "system"


@pytest.mark.parametrize("kind", list(SHAPES))
def test_files_are_found_in_the_usual_subfolder_and_in_the_folder_itself(kind: str, tmp_path: Path) -> None:
    write_kind(kind, tmp_path / "data")
    found = find_files(IMAGE_KINDS[kind], str(tmp_path / "data"))
    folder = found.paths[0].parent
    assert folder.parent == tmp_path / "data"
    assert find_files(IMAGE_KINDS[kind], str(folder)) == found


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("dot", ["-", "."])
def test_idx_files_may_be_plain_or_compressed_and_named_either_way(tmp_path: Path, compressed: bool, dot: str) -> None:
    write_idx(tmp_path, SMALL, compressed, dot)
    assert [path.parent for path in find_files(FASHION, str(tmp_path)).paths] == [tmp_path] * 4


def test_both_versions_of_cifar_10_are_found(tmp_path: Path) -> None:
    images = make_images((32, 32, 3), of_class=10, test_of_class=1)
    write_cifar_binary(tmp_path / "cifar-10-batches-bin", images)
    first = find_files(IMAGE_KINDS["cifar10"], str(tmp_path))
    assert [path.name for path in first.paths][-2:] == ["data_batch_5.bin", "test_batch.bin"]
    write_cifar_python(tmp_path / "cifar-10-batches-py", images)
    assert find_files(IMAGE_KINDS["cifar10"], str(tmp_path)).paths[-1].name == "test_batch"


def test_the_environment_comes_before_the_system_s_folder(
    tmp_path: Path, system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx(system / "fashion-mnist", SMALL)
    assert find_files(FASHION).paths[0].parent == system / "fashion-mnist"
    write_idx(tmp_path / "mine" / "fashion-mnist", SMALL)
    monkeypatch.setenv("AUTOML_ZERO_DATA", str(tmp_path / "mine"))
    assert find_files(FASHION).paths[0].parent == tmp_path / "mine" / "fashion-mnist"


def test_a_data_dir_is_the_only_place_that_is_looked_in(tmp_path: Path, system: Path) -> None:
    write_idx(system / "fashion-mnist", SMALL)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"looked in \S+/empty\. To get them"):
        find_files(FASHION, str(tmp_path / "empty"))


def test_an_npz_file_named_for_the_data_set_is_taken(tmp_path: Path) -> None:
    write_npz(tmp_path / "mnist.npz", SMALL)
    assert find_files(IMAGE_KINDS["mnist"], str(tmp_path)).paths == (tmp_path / "mnist.npz",)


def test_absent_data_are_reported_with_the_places_and_a_way_to_get_them(system: Path) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is what is tested
        make_source({"kind": "fashion-mnist"})
    message = str(caught.value)
    assert "\n" not in message
    for part in (
        "fashion-mnist: its files were not found",
        str(system),
        "apt install dataset-fashion-mnist",
        "AUTOML_ZERO_DATA",
        "--data-dir",
        "download = true",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("kind", "hint"), [("mnist", "train-images"), ("cifar10", "kriz/cifar"), ("svhn", "housenumb")]
)
def test_every_data_set_says_where_it_can_be_had(kind: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"^{kind}: its files were not found; .*{hint}"):
        make_source({"kind": kind})


def test_a_missing_file_among_others_is_named(tmp_path: Path) -> None:
    write_idx(tmp_path, SMALL)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(ValueError, match=rf"\({tmp_path} lacks t10k-labels-idx1-ubyte.gz\)"):
        find_files(FASHION, str(tmp_path))


def test_a_data_dir_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"data_dir: .*/nowhere is not a folder"):
        make_source({"kind": "mnist", "data_dir": str(tmp_path / "nowhere")})


def test_a_source_without_its_data_can_be_described_where_that_is_asked_for() -> None:
    source = make_source({"kind": "cifar10", "final_features": "all"}, need_data=False)
    assert source.describe().startswith("cifar10, pairs of classes projected to 16 features (for the final score: with")
    assert (source.num_features, source.num_classes) == (16, 0)
    with pytest.raises(ValueError, match="cifar10: its files were not found"):
        source.search(0)


def test_files_with_the_published_checksums_are_called_official(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx(tmp_path, SMALL)
    source = image_source("fashion-mnist", data_dir=str(tmp_path))
    assert source.describe().startswith("fashion-mnist (not the official files), ")
    publish(monkeypatch, tmp_path)
    assert source.describe().startswith("fashion-mnist (official files), ")


def test_compressing_a_file_anew_leaves_it_official(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_idx(tmp_path, SMALL)
    publish(monkeypatch, tmp_path)
    for path in tmp_path.glob("*.gz"):
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), compresslevel=9, mtime=7))
    source = image_source("fashion-mnist", data_dir=str(tmp_path))
    assert source.describe().startswith("fashion-mnist (official files), ")


def test_the_files_of_another_data_set_of_the_same_names_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx(tmp_path, SMALL)
    publish(monkeypatch, tmp_path)
    mnist = image_source("mnist", data_dir=str(tmp_path))
    with pytest.raises(ValueError, match=r"t10k-labels-idx1-ubyte.gz: belongs to fashion-mnist, not to mnist"):
        mnist.search(0)


def publish(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make the files in a folder the official ones of Fashion-MNIST."""
    layout = FASHION.layouts[0]
    digests = tuple(
        checksums.content_md5(checksums.file_identity(path)) for path in find_files(FASHION, str(folder)).paths
    )
    published = replace(FASHION, layouts=(replace(layout, md5=digests), *FASHION.layouts[1:]))
    monkeypatch.setitem(IMAGE_KINDS, "fashion-mnist", published)


def test_debian_s_package_holds_the_official_files() -> None:
    folder = Path("/usr/share/datasets/fashion-mnist")
    if not folder.is_dir():
        pytest.skip("dataset-fashion-mnist is not installed")
    source = image_source("fashion-mnist", data_dir=str(folder))
    assert isinstance(source, ImageSource)
    assert "(official files)" in source.describe()


@pytest.mark.parametrize(
    ("images", "with_test", "message"),
    [
        (SMALL, False, r"mnist\.npz: has no test images; for mnist it must have test_x and test_y"),
        (make_images((8, 8)), True, r"mnist\.npz: holds images of 64 values, where 784 are expected"),
        (
            replace(SMALL, train_labels=SMALL.train_labels + 1, test_labels=SMALL.test_labels + 1),
            True,
            r"mnist\.npz: has the classes 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, where 0 to 9 are expected",
        ),
    ],
)
def test_an_npz_file_of_other_images_is_refused(images: Images, with_test: bool, message: str, tmp_path: Path) -> None:
    write_npz(tmp_path / "mnist.npz", images, with_test)
    with pytest.raises(ValueError, match=message):
        image_source("mnist", data_dir=str(tmp_path)).search(0)
