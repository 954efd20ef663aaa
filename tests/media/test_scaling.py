"""Pictures are scaled down to the sizes that the documents give, and cost the tokens that they give."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialogue.media import HIGH, STANDARD, Tier, picture_tokens, scaled

# size → what the standard tier sees and its tokens, and the same of the high tier
DOCUMENTED = [
    ((200, 200), (200, 200), 64, (200, 200), 64),
    ((1000, 1000), (1000, 1000), 1296, (1000, 1000), 1296),
    ((1092, 1092), (1092, 1092), 1521, (1092, 1092), 1521),
    ((1920, 1080), (1456, 819), 1560, (1920, 1080), 2691),
    # The table of the page has 1269 here, its reference implementation 1270; both cost the same.
    ((2000, 1500), (1270, 952), 1564, (2000, 1500), 3888),
    ((3840, 2160), (1456, 819), 1560, (2576, 1449), 4784),
    ((1075, 1520), (924, 1307), 1551, (1075, 1520), 2145),
]
# The largest sizes of some shapes that are left as they are.
LARGEST = [(1092, 1092), (951, 1268), (896, 1344), (819, 1456), (784, 1568)]

sides = st.integers(1, 20_000)
tiers = st.sampled_from([STANDARD, HIGH])


@pytest.mark.promise("media.image-size")
@pytest.mark.parametrize(("size", "standard", "cheap", "high", "dear"), DOCUMENTED)
def test_the_documented_sizes_and_tokens(
    size: tuple[int, int], standard: tuple[int, int], cheap: int, high: tuple[int, int], dear: int
):
    assert scaled(*size, STANDARD) == standard
    assert scaled(size[1], size[0], STANDARD) == (standard[1], standard[0])
    assert picture_tokens(*standard) == cheap
    assert scaled(*size, HIGH) == high
    assert picture_tokens(*high) == dear


@pytest.mark.promise("media.image-size")
@pytest.mark.parametrize("size", LARGEST)
def test_what_fits_is_left_as_it_is(size: tuple[int, int]):
    assert scaled(*size, STANDARD) == size
    assert scaled(size[1], size[0], STANDARD) == (size[1], size[0])


def test_a_picture_as_thin_as_a_hair_keeps_a_pixel():
    assert scaled(60_000, 1, STANDARD) == (1568, 1)


@given(sides, sides, tiers)
def test_the_result_fits_and_keeps_its_shape(width: int, height: int, tier: Tier):
    new_width, new_height = scaled(width, height, tier)
    assert max(new_width, new_height) <= tier.edge
    assert picture_tokens(new_width, new_height) <= tier.tokens
    assert (new_width >= new_height) == (width >= height) or abs(new_width - new_height) <= 1
    longer, shorter = max(width, height), min(width, height)
    assert abs(min(new_width, new_height) - shorter * max(new_width, new_height) / longer) <= 1


@given(sides, sides, tiers)
def test_a_scaled_picture_is_not_scaled_again(width: int, height: int, tier: Tier):
    assert scaled(*scaled(width, height, tier), tier) == scaled(width, height, tier)
