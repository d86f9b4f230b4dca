# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``make check`` says of installed packages."""

from importlib import metadata
from pathlib import Path

import pytest

from deploy.checks import licence_problems

APACHE = (
    "\n                                 Apache License\n                           Version 2.0\n"
)
OWN = "You may look at this, and MIT students may copy it.\n"


@pytest.mark.parametrize(
    ("stated", "carried", "problems"),
    [
        ("License-Expression: MIT", None, []),
        ("Classifier: License :: OSI Approved :: BSD License", OWN, []),
        ("", APACHE, []),
        ("", None, ["odd: licence not recognised (none stated)"]),
        ("", f"Terms of Odd Ltd.\n{OWN}", ["odd: licence not recognised (Terms of Odd Ltd.)"]),
        ("License: Odd", APACHE, ["odd: licence not recognised (Odd)"]),  # what is stated counts
    ],
)
def test_a_licence_is_what_is_stated_or_else_the_title_of_the_one_that_lies_beside(
    tmp_path: Path, stated: str, carried: str | None, problems: list[str]
) -> None:
    about = tmp_path / "odd-1.0.dist-info"
    (about / "licenses").mkdir(parents=True)
    lines = ("Metadata-Version: 2.4", "Name: odd", "Version: 1.0", stated, "License-File: LICENSE")
    (about / "METADATA").write_text("\n".join(filter(None, lines)) + "\n")
    if carried is not None:
        (about / "licenses" / "LICENSE").write_text(carried)

    assert list(licence_problems(metadata.distributions(path=[str(tmp_path)]))) == problems
