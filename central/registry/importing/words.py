# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is wrong with a row, in the words of both languages."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from central.registry.importing.types import RowProblem


class Fault(StrEnum):
    """What can be wrong with a row."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    NOT_A_DATE = "not_a_date"
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    NOT_A_CHOICE = "not_a_choice"
    WRONG_SHAPE = "wrong_shape"
    NOT_A_PLATE = "not_a_plate"
    CELL_COUNT = "cell_count"
    BOTH_ENDS = "both_ends"
    NO_END = "no_end"
    ENDS_BEFORE_START = "ends_before_start"
    REVOKED_BEFORE_START = "revoked_before_start"
    REASON_MISSING = "reason_missing"
    NO_AS_OF = "no_as_of"
    DOUBLED = "doubled"
    DIFFERS_WITHIN_FILE = "differs_within_file"
    IN_FUTURE = "in_future"
    OWNER_UNKNOWN = "owner_unknown"
    VEHICLE_UNKNOWN = "vehicle_unknown"
    OLDER_THAN_STORED = "older_than_stored"
    OTHER_VEHICLE = "other_vehicle"
    TWO_PLATES_AT_ONCE = "two_plates_at_once"
    PLATE_ON_TWO_VEHICLES = "plate_on_two_vehicles"
    TWO_BADGES_AT_ONCE = "two_badges_at_once"


_WORDS: Final[Mapping[Fault, tuple[str, str]]] = MappingProxyType(
    {
        Fault.EMPTY: ("không được để trống", "must not be empty"),
        Fault.TOO_LONG: ("dài quá {detail} ký tự", "longer than {detail} characters"),
        Fault.NOT_A_DATE: (
            "không phải ngày: cần dd/mm/yyyy hoặc yyyy-mm-dd",
            "no date: need dd/mm/yyyy or yyyy-mm-dd",
        ),
        Fault.NOT_A_NUMBER: (
            "không phải số nguyên (không dùng dấu phân cách hàng nghìn)",
            "no whole number (write it without thousands separators)",
        ),
        Fault.OUT_OF_RANGE: ("ngoài khoảng {detail}", "outside {detail}"),
        Fault.NOT_A_CHOICE: ("không phải một trong: {detail}", "none of: {detail}"),
        Fault.WRONG_SHAPE: ("sai định dạng: cần {detail}", "wrong form: need {detail}"),
        Fault.NOT_A_PLATE: (
            "không phải biển số của màu này",
            "no plate of this colour can be that",
        ),
        Fault.CELL_COUNT: (
            "dòng có số ô khác dòng tiêu đề ({detail})",
            "not as many cells as the header has ({detail})",
        ),
        Fault.BOTH_ENDS: (
            "chỉ được ghi một trong hai cột valid_until và last_day",
            "give valid_until or last_day, not both",
        ),
        Fault.NO_END: ("thiếu ngày hết hạn", "the end of the term is missing"),
        Fault.ENDS_BEFORE_START: ("ngày kết thúc trước ngày bắt đầu", "ends before it begins"),
        Fault.REVOKED_BEFORE_START: (
            "ngày thu hồi trước ngày bắt đầu",
            "revoked before it begins",
        ),
        Fault.REASON_MISSING: (
            "ngày thu hồi và lý do thu hồi phải đi cùng nhau",
            "the day and the reason of the revocation go together",
        ),
        Fault.NO_AS_OF: (
            "thiếu ngày của dữ liệu: thêm cột as_of hoặc tùy chọn --as-of",
            "the day of the data is missing: add the column as_of or the option --as-of",
        ),
        Fault.DOUBLED: ("trùng với dòng {detail}", "doubles line {detail}"),
        Fault.DIFFERS_WITHIN_FILE: (
            "khác với dòng {detail} của cùng giấy phép",
            "differs from line {detail} of the same licence",
        ),
        Fault.IN_FUTURE: ("ngày của dữ liệu ở tương lai", "the day of the data lies ahead"),
        Fault.OWNER_UNKNOWN: (
            "không có chủ thể này trong sổ: nhập parties trước",
            "no such party in the registry: import parties first",
        ),
        Fault.VEHICLE_UNKNOWN: (
            "không có xe mang số khung này: nhập vehicles trước",
            "no vehicle with this chassis number: import vehicles first",
        ),
        Fault.OLDER_THAN_STORED: (
            "sổ đã có dữ liệu mới hơn (ngày {detail})",
            "the registry has newer data (of {detail})",
        ),
        Fault.OTHER_VEHICLE: (
            "số này đã cấp cho xe khác",
            "this number belongs to another vehicle",
        ),
        Fault.TWO_PLATES_AT_ONCE: (
            "xe có hai biển số cùng lúc: ghi ngày kết thúc của biển trước",
            "two plates on one vehicle at once: give the end of the earlier one",
        ),
        Fault.PLATE_ON_TWO_VEHICLES: (
            "biển số này đang ở trên xe khác cùng lúc",
            "this plate is on another vehicle at the same time",
        ),
        Fault.TWO_BADGES_AT_ONCE: (
            "xe có hai phù hiệu cùng lúc",
            "two badges on one vehicle at once",
        ),
    }
)


def problem(fault: Fault, *, line: int, column: str = "", detail: str = "") -> RowProblem:
    """A problem in words."""
    reason, reason_en = _WORDS[fault]
    return RowProblem(
        line=line,
        column=column,
        reason=reason.format(detail=detail),
        reason_en=reason_en.format(detail=detail),
    )
