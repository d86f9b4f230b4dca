# SPDX-License-Identifier: AGPL-3.0-or-later
import hashlib
from pathlib import Path

import pytest

from models.errors import (
    ModelDigestError,
    ModelFormatError,
    ModelMissingError,
    ModelRegistryError,
)
from models.runtime.registry import MAX_MODEL_BYTES, load_model, model_names
from models.training.release import enter_release

WEIGHTS = b"weights of a very small network"


def make_registry(folder: Path, *, sha256: str | None = None, config: str = "") -> Path:
    (folder / "weights").mkdir()
    (folder / "weights" / "small.onnx").write_bytes(WEIGHTS)
    digest = hashlib.sha256(WEIGHTS).hexdigest() if sha256 is None else sha256
    (folder / "registry.toml").write_text(
        "# kept comment\n[models.small]\n"
        'version = "1.0.0"\nfile = "small.onnx"\n'
        f'sha256 = "{digest}"\nsize_bytes = {len(WEIGHTS)}\nlicence = "AGPL-3.0-or-later"\n'
        f"\n[models.small.config]\n{config}\n",
        encoding="utf-8",
    )
    return folder


def test_every_released_model_has_the_bytes_that_the_registry_describes() -> None:
    models = [load_model(name) for name in model_names()]

    assert {"vehicle-detector", "plate-detector"} <= {model.name for model in models}
    assert all(model.path.stat().st_size <= MAX_MODEL_BYTES for model in models)
    assert all(model.licence == "AGPL-3.0-or-later" for model in models)


def test_every_released_model_has_a_card_that_names_its_version_and_digest() -> None:
    for name in model_names():
        model = load_model(name)
        card = model.path.parents[1] / "cards" / f"{name}.md"

        assert model.version in card.read_text(encoding="utf-8"), name
        assert model.sha256 in card.read_text(encoding="utf-8"), name


def test_a_missing_file_is_named_without_its_folder(tmp_path: Path) -> None:
    folder = make_registry(tmp_path)
    (folder / "weights" / "small.onnx").unlink()

    with pytest.raises(ModelMissingError, match=r"small\.onnx is missing") as raised:
        load_model("small", folder=folder)

    assert str(tmp_path) not in str(raised.value)


def test_a_file_that_is_cut_short_is_told_apart_from_another_version(tmp_path: Path) -> None:
    folder = make_registry(tmp_path)
    path = folder / "weights" / "small.onnx"

    path.write_bytes(WEIGHTS[:-5])
    with pytest.raises(ModelDigestError, match="is cut short"):
        load_model("small", folder=folder)

    path.write_bytes(WEIGHTS[::-1])
    with pytest.raises(ModelDigestError, match="is of another version or was changed"):
        load_model("small", folder=folder)

    path.write_bytes(WEIGHTS * 2)
    with pytest.raises(ModelDigestError, match="is of another version"):
        load_model("small", folder=folder)


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    folder = make_registry(tmp_path)

    with pytest.raises(ModelRegistryError, match="the registry knows: small"):
        load_model("large", folder=folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no table"),
        ("models = 3", "no table"),
        ("[models]\nsmall = 3", "is not a table"),
        ("[models.small]\nfile = 3", "lacks file"),
        ("[models", "can not be read"),
        ('[models.small]\nfile = "a"\nsha256 = "00"', "has 2 characters"),
    ],
)
def test_a_malformed_registry_is_refused_in_words(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "registry.toml").write_text(text, encoding="utf-8")

    with pytest.raises(ModelRegistryError, match=message):
        load_model("small", folder=tmp_path)


def test_a_folder_without_registry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRegistryError, match="is missing"):
        model_names(folder=tmp_path)


def test_settings_of_a_model_are_typed(tmp_path: Path) -> None:
    folder = make_registry(
        tmp_path,
        config='labels = ["a", "b"]\nside_px = 3\nshare = 0.5\nmixed = [1, "a"]\non = true',
    )

    config = load_model("small", folder=folder).config

    assert config.texts("labels") == ("a", "b")
    assert config.whole_number("side_px") == 3
    assert config.number("share") == 0.5
    assert config.number("side_px") == 3.0
    assert "share" in config
    assert "else" not in config
    for ask in (config.texts, config.numbers):
        with pytest.raises(ModelFormatError, match="needs mixed as"):
            ask("mixed")
    with pytest.raises(ModelFormatError, match="needs on as a whole number"):
        config.whole_number("on")
    with pytest.raises(ModelFormatError, match="needs absent as a text"):
        config.text("absent")


def test_a_release_changes_digest_size_and_version_and_nothing_else(tmp_path: Path) -> None:
    folder = make_registry(tmp_path)
    before = (folder / "registry.toml").read_text(encoding="utf-8")
    (folder / "weights" / "small.onnx").write_bytes(b"new weights")

    digest = enter_release("small", version="1.1.0", folder=folder)

    after = (folder / "registry.toml").read_text(encoding="utf-8")
    changed = set(after.splitlines()) - set(before.splitlines())
    assert changed == {'version = "1.1.0"', f'sha256 = "{digest}"', "size_bytes = 11"}
    assert load_model("small", folder=folder).version == "1.1.0"


def test_a_release_is_entered_in_the_card_too(tmp_path: Path) -> None:
    folder = make_registry(tmp_path)
    card = folder / "cards" / "small.md"
    card.parent.mkdir()
    card.write_text("# Small\n- version: 1.0.0\n- sha256: old\n\nWhat it is.\n", encoding="utf-8")

    digest = enter_release("small", version="1.1.0", folder=folder)

    expected = f"# Small\n- version: 1.1.0\n- sha256: {digest}\n\nWhat it is.\n"
    assert card.read_text(encoding="utf-8") == expected
    card.write_text("# Small\n", encoding="utf-8")
    with pytest.raises(ModelRegistryError, match="needs one line"):
        enter_release("small", version="1.1.0", folder=folder)


def test_a_release_with_an_odd_version_or_name_is_refused(tmp_path: Path) -> None:
    folder = make_registry(tmp_path)

    with pytest.raises(ModelRegistryError, match="a version looks like"):
        enter_release("small", version="latest", folder=folder)
    with pytest.raises(ModelRegistryError, match="no single entry"):
        enter_release("large", version="1.0.0", folder=folder)


@pytest.mark.parametrize("name", model_names())
def test_a_released_file_tells_nothing_of_the_machine_that_made_it(name: str) -> None:
    content = load_model(name).path.read_bytes()

    # What training libraries note: the data's description, and their own place.
    assert b".yaml" not in content
    assert b"site-packages" not in content
