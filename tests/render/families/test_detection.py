"""A model's chat template says of which family it is."""

import pytest

from antiphon.render.families import UNIVERSAL
from antiphon.render.families.syntax import Family
from antiphon.render.prompt.detection import family_for
from tests.render.families.cases import HERE, NATIVE, transcripts


@pytest.mark.promise("tools.family-from-template")
@pytest.mark.parametrize("family", NATIVE, ids=lambda family: family.name)
def test_a_template_in_a_familys_format_is_recognised(family: Family):
    template = (HERE / "templates" / f"{family.name}.jinja").read_text(encoding="utf-8")
    assert family_for(template) is family


@pytest.mark.promise("tools.family-from-template")
@pytest.mark.parametrize(
    "template",
    [
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}",
        "{% for message in messages %}<start_of_turn>{{ message.role }}\n{{ message.content }}<end_of_turn>\n{% endfor %}",
        "{{- '<tool_calls>[' }}{{- '{\"name\": \"' + call.name + '\", \"arguments\": ' }}",
        "{{- '<seed:tool_call>\\n<function=' + call.function.name + '>\\n<parameter=' + key + '>' }}",
        "{{- '<｜DSML｜invoke name=\"' + call.function.name + '\">' }}",
        "",
    ],
    ids=["chatml", "gemma 3", "a list of calls", "another namespace", "DSML", "none"],
)
def test_a_template_of_an_unknown_format_gets_the_universal_family(template: str):
    assert family_for(template) is UNIVERSAL


def test_every_family_cites_its_sources_and_has_transcripts():
    told = {transcript.family.name for transcript in transcripts()}
    assert [family.name for family in NATIVE if not family.sources or family.name not in told] == []


def test_every_family_has_a_name_of_its_own():
    names = [family.name for family in (*NATIVE, UNIVERSAL)]
    assert len(set(names)) == len(names)


def test_control_markers_occur_in_the_familys_own_markup():
    for family in NATIVE:
        syntax = family.syntax
        markup = [
            syntax.section_open,
            syntax.call_open,
            syntax.after_name,
            syntax.call_close,
            syntax.section_close,
            *syntax.lenient_opens,
            *syntax.lenient_after_names,
            *family.hidden,
            *(mark for pair in family.reasoning for mark in pair),
            str(getattr(syntax.arguments, "quote", "")),
        ]
        unused = {control for control in syntax.control if not any(control in text for text in markup)}
        assert unused == set(), family.name
