# SPDX-License-Identifier: AGPL-3.0-or-later
from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import PyFormat, Transformer
from psycopg.types.numeric import Float4

from central.db.arrays import Float4ArrayDumper

NUMBERS = st.lists(st.floats(-1000, 1000, width=32), min_size=1, max_size=40)


@given(NUMBERS)
def test_an_array_has_the_same_bytes_as_the_library_writes(numbers: list[float]) -> None:
    single = [Float4(number) for number in numbers]
    library = Transformer().get_dumper(single, PyFormat.BINARY)

    assert Float4ArrayDumper(list).dump(numbers) == library.dump(single)


def test_an_empty_array_has_no_dimension() -> None:
    assert Float4ArrayDumper(list).dump([])[:4] == bytes(4)
