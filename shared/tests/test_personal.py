"""Personal values show themselves masked, whatever one does to them."""

import copy
import json
import pickle

import orjson
import pytest

from servicekit.personal import (
    BankCard,
    DocumentNumber,
    EmailAddress,
    MobileNumber,
    PersonalText,
    PersonName,
    ResidentNumber,
)

pytestmark = pytest.mark.req("AL-04")

CASES = [
    (ResidentNumber, "440106199001010012", "440***********0012"),
    (DocumentNumber, "H12345678", "H******78"),
    (DocumentNumber, "12345678", "1*****78"),
    (MobileNumber, "13800000000", "138****0000"),
    (BankCard, "6228480000000000007", "***************0007"),
    (PersonName, "林小满", "林**"),
    (PersonName, "林", "*"),
    (EmailAddress, "lin@example.com", "l***@example.com"),
    (EmailAddress, "not an address", "n*************"),
    (PersonalText, "广州市天河区某路1号", "***"),
    (PersonalText, "", ""),
]


@pytest.mark.parametrize(("kind", "clear", "masked"), CASES)
def test_every_way_of_writing_it_down_gives_the_mask(kind, clear, masked):
    value = kind(clear)
    assert value.mask() == str(value) == f"{value}" == "%s" % value == masked  # noqa: UP031
    assert json.loads(json.dumps({"v": value})) == {"v": masked}
    assert orjson.loads(orjson.dumps([value])) == [masked]
    assert repr(value) == f"{kind.__name__}({masked!r})"
    assert value.expose() == clear


@pytest.mark.parametrize(("kind", "clear", "masked"), CASES)
def test_two_are_equal_by_their_clear_values_and_kind(kind, clear, masked):
    assert kind(clear) == kind(clear)
    assert len({kind(clear), kind(clear)}) == 1
    assert kind(clear) != clear
    if clear:
        assert kind(clear) != kind(f"{clear}9")


def test_the_same_mask_does_not_make_two_people_one():
    assert PersonName("林小满") != PersonName("林大雪")
    assert str(PersonName("林小满")) == str(PersonName("林大雪"))


def test_a_resident_number_is_stored_in_one_form():
    assert ResidentNumber(" 44010619900101001x ").expose() == "44010619900101001X"
    assert ResidentNumber("４４０１０６199001010012").expose() == "440106199001010012"
    assert EmailAddress("Lin@Example.com") == EmailAddress("lin@example.com")
    assert BankCard("6228 4800 0000 0000 007").expose() == "6228480000000000007"


def test_one_kind_may_be_made_of_another():
    assert DocumentNumber(ResidentNumber("440106199001010012")).expose() == "440106199001010012"


def test_copying_keeps_it_and_pickling_is_refused():
    value = MobileNumber("13800000000")
    assert copy.copy(value) is value
    assert copy.deepcopy([value])[0] is value
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(value)


def test_the_clear_value_is_not_in_the_traceback_of_a_failure():
    with pytest.raises(KeyError) as failure:
        {}[PersonName("林小满")]
    assert "小满" not in repr(failure.value)
