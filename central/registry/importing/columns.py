# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which columns a file of each kind has, under which names, and what may stand in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from central.contracts.passage import PlateColour
from central.domain.badges import badge_kinds
from central.domain.permits import permit_kinds
from central.domain.vehicles import LicenceState, VehicleKind
from central.registry.importing import cells
from central.registry.importing.cells import Parser
from central.registry.importing.types import ImportKind

NAME_LENGTH_MAX: Final = 200

IDENTITY: Final = r"\d{10}(-\d{3})?|\d{12}|\d{9}"
_CHASSIS: Final = r"[A-Z0-9]{5,25}"
_ENGINE: Final = r"[A-Z0-9*-]{3,25}"
_LICENCE: Final = r"\d{12}"
_CLASS: Final = r"[A-F][A-Z0-9]{0,2}"
_EMAIL: Final = r"[^@\s]{1,64}@[^@\s]{1,189}"
_PHONE: Final = r"\+?[0-9 ]{8,16}"

_PARTY_KINDS: Final = MappingProxyType(
    {
        "person": "person",
        "ca_nhan": "person",
        "organisation": "organisation",
        "organization": "organisation",
        "to_chuc": "organisation",
        "doanh_nghiep": "organisation",
    }
)
_VEHICLE_KINDS: Final = MappingProxyType(
    {
        **{kind.value: kind.value for kind in VehicleKind},
        "o_to_con": "car",
        "xe_con": "car",
        "o_to_khach": "bus",
        "xe_khach": "bus",
        "xe_buyt": "bus",
        "o_to_tai": "truck",
        "xe_tai": "truck",
        "dau_keo": "tractor",
        "xe_dau_keo": "tractor",
        "ro_mooc": "trailer",
        "so_mi_ro_mooc": "trailer",
        "mo_to": "motorcycle",
        "xe_may": "motorcycle",
        "bon_banh_gan_dong_co": "four_wheeler",
        "xe_may_chuyen_dung": "special_machine",
    }
)
_COLOURS: Final = MappingProxyType(
    {
        **{each.value: each.value for each in PlateColour if each is not PlateColour.UNKNOWN},
        "trang": "white",
        "vang": "yellow",
        "xanh": "blue",
        "do": "red",
    }
)
_LICENCE_STATES: Final = MappingProxyType(
    {
        **{state.value: state.value for state in LicenceState},
        "con_hieu_luc": "valid",
        "tuoc": "suspended",
        "tam_giu": "suspended",
        "thu_hoi": "revoked",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a file.

    Attributes:
        name: English name, which the registry uses.
        aliases: Other names, plain: Vietnamese without marks, joined by underscores.
        parse: Reads a cell.
        is_required: Whether the file must have the column and every row a value.
    """

    name: str
    aliases: tuple[str, ...]
    parse: Parser
    is_required: bool = False


_ORIGIN: Final = (
    Column(name="source", aliases=("nguon",), parse=cells.text(length_max=NAME_LENGTH_MAX)),
    Column(name="as_of", aliases=("ngay_du_lieu",), parse=cells.day),
)
_TERM: Final = (
    Column(name="valid_from", aliases=("tu_ngay",), parse=cells.day, is_required=True),
    Column(name="valid_until", aliases=("het_hieu_luc_tu",), parse=cells.day),
    Column(name="last_day", aliases=("den_het_ngay", "den_ngay"), parse=cells.day),
)
_REVOKED: Final = Column(name="revoked_on", aliases=("ngay_thu_hoi",), parse=cells.day)
_NUMBER: Final = Column(
    name="number",
    aliases=("so", "so_giay"),
    parse=cells.text(length_max=60),
    is_required=True,
)


def _chassis() -> Column:
    return Column(
        name="chassis_number",
        aliases=("so_khung",),
        parse=cells.shaped(_CHASSIS, "5–25 A-Z 0-9", clean=cells.compact),  # noqa: RUF001
        is_required=True,
    )


def _party(name: str, *aliases: str, is_required: bool) -> Column:
    return Column(
        name=name,
        aliases=aliases,
        parse=cells.shaped(IDENTITY, "10 số, 10 số-3 số, 12 số / 10, 10-3 or 12 digits"),
        is_required=is_required,
    )


def _choice(name: str, alias: str, values: Mapping[str, str]) -> Column:
    return Column(name=name, aliases=(alias,), parse=cells.choice(values), is_required=True)


def _parties() -> tuple[Column, ...]:
    return (
        _party("identity_number", "so_dinh_danh", "ma_so_thue", is_required=True),
        _choice("kind", "loai", _PARTY_KINDS),
        Column(
            name="name",
            aliases=("ten",),
            parse=cells.text(length_max=NAME_LENGTH_MAX),
            is_required=True,
        ),
        Column(name="address", aliases=("dia_chi",), parse=cells.text(length_max=500)),
        Column(
            name="phone",
            aliases=("dien_thoai",),
            parse=cells.shaped(_PHONE, "0208 385 1234"),
        ),
        Column(name="email", aliases=("thu_dien_tu",), parse=cells.shaped(_EMAIL, "ten@mien.vn")),
        *_ORIGIN,
    )


def _vehicles() -> tuple[Column, ...]:
    return (
        _chassis(),
        _choice("kind", "loai_xe", _VEHICLE_KINDS),
        _party("owner", "chu_xe", "so_dinh_danh_chu_xe", is_required=True),
        Column(
            name="engine_number",
            aliases=("so_may",),
            parse=cells.shaped(_ENGINE, "3–25 A-Z 0-9 * -", clean=cells.compact),  # noqa: RUF001
        ),
        Column(name="brand", aliases=("nhan_hieu",), parse=cells.text(length_max=100)),
        Column(
            name="manufactured_in",
            aliases=("nam_san_xuat",),
            parse=cells.whole_number(least=1900, most=2200),
        ),
        Column(name="seats", aliases=("so_cho",), parse=cells.whole_number(least=0, most=200)),
        Column(
            name="payload_kg",
            aliases=("tai_trong_kg",),
            parse=cells.whole_number(least=0, most=500_000),
        ),
        Column(
            name="gross_mass_kg",
            aliases=("khoi_luong_toan_bo_kg",),
            parse=cells.whole_number(least=0, most=600_000),
        ),
        Column(
            name="container_ft",
            aliases=("cong_ten_no_ft",),
            parse=cells.choice({"20": "20", "40": "40"}),
        ),
        Column(name="is_public_bus", aliases=("xe_buyt_cong_cong",), parse=cells.yes_or_no),
        *_ORIGIN,
    )


def _plates() -> tuple[Column, ...]:
    return (
        _chassis(),
        Column(name="plate", aliases=("bien_so",), parse=cells.plate, is_required=True),
        _choice("colour", "mau_bien", _COLOURS),
        *_TERM,
    )


def _badges() -> tuple[Column, ...]:
    words = {each.kind: each.kind for each in badge_kinds()}
    words |= {cells.plain_word(each.name): each.kind for each in badge_kinds()}
    return (
        _NUMBER,
        _choice("kind", "loai", words),
        _chassis(),
        _party("holder", "don_vi", "so_dinh_danh_don_vi", is_required=True),
        *_TERM,
        _REVOKED,
        Column(
            name="revocation_reason",
            aliases=("ly_do_thu_hoi",),
            parse=cells.text(length_max=NAME_LENGTH_MAX),
        ),
        *_ORIGIN,
    )


def _permits() -> tuple[Column, ...]:
    words = {each.kind: each.kind for each in permit_kinds()}
    return (
        _NUMBER,
        _choice("kind", "loai", words),
        _chassis(),
        _party("holder", "don_vi", "so_dinh_danh_don_vi", is_required=False),
        *_TERM,
        Column(
            name="trip_days_max",
            aliases=("so_ngay_moi_chuyen",),
            parse=cells.whole_number(least=1, most=366),
        ),
        Column(name="is_single_trip", aliases=("mot_chuyen",), parse=cells.yes_or_no),
        _REVOKED,
        *_ORIGIN,
    )


def _transport_licences() -> tuple[Column, ...]:
    return (
        _NUMBER,
        _party("holder", "don_vi", "so_dinh_danh_don_vi", is_required=True),
        *_TERM,
        _REVOKED,
        *_ORIGIN,
    )


def _driving_licences() -> tuple[Column, ...]:
    return (
        Column(
            name="number",
            aliases=("so", "so_gplx"),
            parse=cells.shaped(_LICENCE, "12 số / 12 digits"),
            is_required=True,
        ),
        Column(
            name="holder_name",
            aliases=("ten", "ho_ten"),
            parse=cells.text(length_max=NAME_LENGTH_MAX),
            is_required=True,
        ),
        Column(name="born_on", aliases=("ngay_sinh",), parse=cells.day, is_required=True),
        _choice("state", "trang_thai", _LICENCE_STATES),
        Column(name="points", aliases=("so_diem",), parse=cells.whole_number(least=0, most=12)),
        Column(
            name="class",
            aliases=("hang",),
            parse=cells.shaped(_CLASS, "A1 … DE", clean=cells.compact),
            is_required=True,
        ),
        *_TERM,
        *_ORIGIN,
    )


def _inspections() -> tuple[Column, ...]:
    return (
        _chassis(),
        Column(
            name="inspected_until",
            aliases=("dang_kiem_den_het_ngay", "han_dang_kiem"),
            parse=cells.day,
            is_required=True,
        ),
        *_ORIGIN,
    )


_COLUMNS: Final = MappingProxyType(
    {
        ImportKind.PARTIES: _parties,
        ImportKind.VEHICLES: _vehicles,
        ImportKind.PLATES: _plates,
        ImportKind.BADGES: _badges,
        ImportKind.PERMITS: _permits,
        ImportKind.TRANSPORT_LICENCES: _transport_licences,
        ImportKind.DRIVING_LICENCES: _driving_licences,
        ImportKind.INSPECTIONS: _inspections,
    }
)


def columns_of(kind: ImportKind) -> tuple[Column, ...]:
    """Columns of a kind of file."""
    return _COLUMNS[kind]()


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRules:
    """What must hold for rows of a kind beyond their single cells.

    Attributes:
        key: Columns that together may come once in a file.
        needs_end: Whether a term must have an end.
        needs_as_of: Whether the registry keeps the day of the data.
        needs_reason: Whether a revocation must say why.
    """

    key: tuple[str, ...]
    needs_end: bool = False
    needs_as_of: bool = True
    needs_reason: bool = False


KIND_RULES: Final[Mapping[ImportKind, KindRules]] = MappingProxyType(
    {
        ImportKind.PARTIES: KindRules(key=("identity_number",)),
        ImportKind.VEHICLES: KindRules(key=("chassis_number",)),
        ImportKind.PLATES: KindRules(key=("chassis_number", "valid_from"), needs_as_of=False),
        ImportKind.BADGES: KindRules(key=("number",), needs_end=True, needs_reason=True),
        ImportKind.PERMITS: KindRules(key=("number",), needs_end=True),
        ImportKind.TRANSPORT_LICENCES: KindRules(key=("number",)),
        ImportKind.DRIVING_LICENCES: KindRules(key=("number", "class", "valid_from")),
        ImportKind.INSPECTIONS: KindRules(key=("chassis_number",)),
    }
)
