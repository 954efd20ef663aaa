"""What a model is told of a picture that it does not see."""

import pytest

from antiphon.ports.media import Description, Line, PdfPage
from antiphon.request.told.pictures import END, NOT_THE_PICTURE, NOTHING_READ, SCANNED, UNREAD, described, page_text

PICTURE = Description(
    900, 600, "screenshot", (("white", 80), ("blue", 15)), (Line("File | Edit", 10, 20), Line("Total", 40, 300))
)


@pytest.mark.promise("vision.described")
def test_a_description_says_that_it_is_none_of_the_picture_and_where_its_text_stands() -> None:
    assert described(PICTURE).split("\n") == [
        NOT_THE_PICTURE,
        "Size: 900 x 600 pixels (landscape). It looks like a screenshot.",
        "Main colours: white 80%, blue 15%.",
        "Text in it, in reading order, each line with the x,y in pixels where it begins:",
        "(10,20) File | Edit",
        "(40,300) Total",
        END,
    ]


@pytest.mark.promise("vision.described")
def test_a_turned_picture_one_without_text_and_one_with_too_much_are_told_so() -> None:
    turned = Description(600, 900, "page", (("white", 99),), PICTURE.lines, turned=90, whole=False)
    told = described(turned).split("\n")
    assert told[1] == "Size: 600 x 900 pixels (portrait). It looks like a page of text."
    assert told[3] == "Its text was not upright: it is given here as it reads when turned clockwise by 90 degrees."
    assert told[-2] == "(There is more text in it, which is left out here.)"
    assert described(Description(9, 9, "photograph", (("red", 99),))).split("\n")[-2:] == [
        "No text was found in it.",
        END,
    ]


@pytest.mark.promise("vision.scans")
def test_a_scanned_page_says_what_it_is() -> None:
    assert page_text(PdfPage("Words")) == "Words"
    assert page_text(PdfPage("Words", scan="read")) == f"{SCANNED}\nWords"
    assert page_text(PdfPage("", scan="read")) == NOTHING_READ
    assert page_text(PdfPage("", scan="unread")) == UNREAD
