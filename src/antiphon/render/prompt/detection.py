"""Which family a chat template belongs to."""

from antiphon.render.families import FAMILIES
from antiphon.render.families.syntax import Family
from antiphon.render.families.universal import UNIVERSAL
from antiphon.render.prompt.template import ChatTemplate, TemplateError


def family_for(chat_template: str | None, name: str | None = None) -> Family:
    """The family of a model: the one with this `name` (`KeyError` where there is none), or the first that fits.

    A family whose definitions or history go through the template fits only where the template really tells them.
    """
    if name is not None:
        return {family.name: family for family in FAMILIES}[name]
    if chat_template is None:
        return UNIVERSAL
    found = next((family for family in FAMILIES if all(text in chat_template for text in family.detect)), UNIVERSAL)
    if found.definitions == "system" and found.history == "text":
        return found
    try:
        abilities = ChatTemplate(chat_template).abilities
    except TemplateError:
        return UNIVERSAL
    told = (abilities.tools or found.definitions == "system") and (abilities.calls or found.history == "text")
    return found if told else UNIVERSAL
