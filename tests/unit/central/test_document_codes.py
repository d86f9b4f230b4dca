# SPDX-License-Identifier: AGPL-3.0-or-later
"""The QR code on a paper is read back from its picture, as a citizen's phone does."""

import cv2
import numpy as np
import pytest

from central.documents.layout import DocumentValues
from central.documents.statement_values import CompletenessValues, RetentionValues
from central.documents.typesetting import picture_pages
from central.documents.values import BadgeValues, ErasureValues, PermitValues
from tests.unit.central.test_documents import ALL, HEADING

DOTS_PER_INCH = 200.0


def codes_on(values: DocumentValues) -> list[str]:
    """What the QR codes on a paper hold."""
    detector = cv2.QRCodeDetector()
    found: list[str] = []
    for page in picture_pages(values, dots_per_inch=DOTS_PER_INCH):
        picture = cv2.imdecode(np.frombuffer(page, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        is_found, texts, _, _ = detector.detectAndDecodeMulti(picture)
        found += [text for text in texts if text] if is_found else []
    return found


@pytest.mark.parametrize("values", ALL, ids=lambda values: type(values).__name__)
def test_the_code_on_a_paper_leads_to_its_dossier_and_holds_nothing_else(
    values: DocumentValues,
) -> None:
    wanted = values.qr_text if isinstance(values, BadgeValues | PermitValues) else HEADING.qr_text

    codes = codes_on(values)

    # Papers about an erasure or a day lead to no dossier, and show no code.
    of_the_house = ErasureValues | CompletenessValues | RetentionValues
    assert codes == ([] if isinstance(values, of_the_house) else [wanted])
