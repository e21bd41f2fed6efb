"""What a person may want of one message."""

from enum import StrEnum


class Intent(StrEnum):
    """What a message asks for; the names are also the sections of the phrase and example files."""

    GREET = "greet"
    SMALLTALK = "smalltalk"
    JOKE = "joke"
    INSULT = "insult"
    ACKNOWLEDGE = "acknowledge"
    DECLINE = "decline"
    THANKS = "thanks"
    BYE = "bye"
    HELP = "help"
    ABOUT = "about"
    SIZE = "size"
    FORGET = "forget"
    PRIVACY = "privacy"
    OFF_TOPIC = "offtopic"
    NONSENSE = "nonsense"
    EMPTY = "empty"
    EMOJI = "emoji"
    CLARIFY = "clarify"
    SURVEY = "survey"
    SEARCH = "search"
    EXPLAIN = "explain"
    DESCRIBE = "describe"
    PROFILE = "profile"
    REACTION = "reaction"
    UNDO = "undo"
    RESTART = "restart"
