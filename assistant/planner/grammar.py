"""Messages whose wording alone settles what they ask for."""

import re

from assistant.planner.intents import Intent
from recommender.text import fold

_FILMS = r"(?:films?|movies?|flicks?|cinema|pictures?|shows?)"
_MINE = r"(?:data|profile|account|history|swipes?|tastes?|information|preferences?|likes|ratings?)"
_THEIRS = r"(?:profile|data|swipes?|tastes?|preferences?|likes|ratings?)"
_MAKERS = r"(?:human|person|man|woman|bot|chat ?bot|robot|ai|a\.i\.|llm|machine|program|computer)"
_MODELS = r"(?:chat ?gpt|gpt\S*|llm|language model|claude|gemini|llama|siri|alexa|copilot)"
_FILLER = (
    r"(?:(?:so|and|but|ok(?:ay)?|please|well|e?h+|hm+|oh|um|now|then|oops|no|nah|wait|sorry|right|"
    r"anyway|alright|actually|fine)\W+)*"
)


def _rules(*rules: tuple[Intent, str]) -> tuple[tuple[Intent, re.Pattern[str]], ...]:
    return tuple((intent, re.compile(pattern)) for intent, pattern in rules)


_BEFORE_FILMS = _rules(
    (
        Intent.PRIVACY,
        r"\b(?:ignore|disregard|forget|override|bypass|overrule)\b.{0,20}"
        r"\b(?:your|previous|prior|above|earlier|all|system|these)\b.{0,20}"
        r"\b(?:instructions?|rules|prompts?|guidelines|programming|restrictions)\b"
        r"|\b(?:repeat|print|reveal|output|show|recite|copy) (?:me )?"
        r"(?:everything|all|the (?:text|words)|what(?:ever)?(?:'s| is| was)?) (?:above|before)\b"
        r"|\bwhat (?:rules|instructions|guidelines|orders) (?:were|are|do|did|have) (?:you|they)\b"
        r"|\b(?:dump|export|download|leak) (?:the |your |all )*(?:database|users|tables|logs)\b"
        r"|\bsystem prompt\b|\b(?:your|hidden|secret) (?:instructions?|prompt)\b|\byou are now\b"
        r"|\b(?:developer|dan|god|admin\w*|root|debug) (?:mode|access|rights|account)\b"
        r"|\b(?:i am|i'm|act as|run as) (?:an? |the |your )?(?:admin\w*|root|superuser|developer)\b"
        r"|\b(?:pretend|act|pose)\b.{0,15}\b(?:admin\w*|root|superuser)\b"
        r"|\buser_id\b|\bdrop table\b|<script|<\|?im_start|\[inst\]"
        rf"|\b{_THEIRS}\b (?:of|for|from|about) (?:the )?"
        r"(?:user|users|another|other|someone|somebody|everyone|everybody|all)\b"
        rf"|\b(?!that|what|it|today|film|movie|let)\w+'s {_THEIRS}\b"
        rf"|\b(?:other|another|all|every) (?:users?|accounts?|person|people)\b.{{0,30}}\b{_MINE}\b"
        r"|\bwhat (?:did|do|does|has|have) (?:the )?(?:other|another|all|user|users)\b.{0,20}"
        r"\b(?:users?|swipe|swiped|rate|rated)\b"
        rf"|\busers? (?!friendly|manual|guide)\w+\b.{{0,25}}"
        rf"\b(?:{_MINE}|swiped|liked|rated|watch\w*)\b"
        r"|\b(?:list|names?) of (?:all )?(?:the )?(?:users|customers|accounts)\b"
        r"|\b(?:pretend|act|imagine|assume)\b.{0,20}\buser\b"
        r"|\b(?:log|sign) (?:me )?in as\b|\bswitch (?:me )?to (?:user|account)\b",
    ),
    (
        Intent.UNDO,
        rf"^{_FILLER}(?:undo|revert|scratch that|take (?:that|it|this) back)\b"
        r"|\b(?:undo|take back|revert|cancel|remove|delete|reverse|retract)\b.{0,20}"
        r"\b(?:last|previous|latest|that|this) "
        r"(?:swipe|reaction|rating|like|dislike|one|vote|card)\b"
        r"|\b(?:can|could) (?:i|you|we) undo\b|\btake (?:that|it) back\b"
        r"|\b(?:hit|pressed|pushed|clicked|tapped|chose|swiped) (?:on )?(?:the )?wrong\b"
        rf"|^{_FILLER}wrong (?:button|key|way|direction|side)\b"
        rf"|^{_FILLER}(?:that was|my|by) (?:an? )?(?:mistake|accident|error)\b"
        r"|\bi did(?:n't| not) mean (?:to|that|it)\b",
    ),
    (
        Intent.FORGET,
        rf"^{_FILLER}(?:(?:can|could|will|would) you |i(?: want|'d like) you to |you should )?"
        r"(?:please )?forget (?:about )?(?:me|everything|all|my|what you (?:know|learned))\b"
        r"|\b(?:delete|erase|remove|wipe|clear|destroy|reset|purge|drop)\b.{0,30}"
        rf"\b(?:(?:my|me) (?:\w+ ){{0,2}}{_MINE}|about me|me from)\b"
        r"|(?:^|\b(?:please|you|to|now) )(?:delete|erase|wipe|purge) (?:me|everything|it all)\b"
        r"|\bright to be forgotten\b"
        rf"|\bstop (?:storing|tracking|keeping|saving)\b.{{0,20}}\b(?:me|my)\b|\bgdpr\b",
    ),
    (
        Intent.ABOUT,
        rf"^{_FILLER}(?:who|what)(?:'re| (?:exactly |really |actually )?(?:are|r)) (?:you|u)\W*"
        r"(?:exactly|really|actually|anyway)?\W*$"
        rf"|\b(?:are|r) (?:you|u) .{{0,25}}"
        rf"\b(?:{_MAKERS}|{_MODELS}|real|alive|sentient|conscious)\b"
        rf"|\b(?:is this|is it|is there|am i (?:talking|speaking|chatting)|do you use)\b"
        rf"(?!.*\b(?:{_FILMS}|something|anything|about|where|in which)\b)"
        rf".{{0,35}}\b(?:{_MAKERS}|{_MODELS})\b"
        r"|\b(?:which|what) (?:kind of |sort of |language |ai )*(?:model|llm|ai|bot)\b"
        rf"(?! (?:\w+ )?{_FILMS})"
        r"|\bwho(?:'s| is)? (?:behind|made|built|created|wrote|programmed|developed|trained|runs) "
        r"(?:you|this)\b"
        r"|\bhow (?:do|does) (?:you|this thing) work\b|\btell me (?:more )?about yourself\b"
        r"|\bintroduce yourself\b|\bwhat(?:'s| is) your name\b",
    ),
    (
        Intent.SIZE,
        rf"^{_FILLER}how many {_FILMS}(?: (?:do|have|are|can)\b.{{0,25}})?\W*$"
        r"|\bhow (?:big|large) is (?:your|the) (?:catalog(?:ue)?|library|collection|database)\b",
    ),
    (
        Intent.PROFILE,
        r"\bwhat (?:(?:do|did|have|all do) )?(?:you|u)(?:'ve| have)? "
        r"(?:know|learn(?:ed|t)?|think|remember|stored?|saved?|got|believe)\b"
        r"(?!.*\bi(?:'d| would|'ll| will| might| should)\b).{0,25}\b(?:me|my|i)\b"
        rf"|\b(?:show|see|view|open|display|what(?:'s| is)|what are|how does)\b.{{0,15}}"
        rf"\bmy (?:\w+ )?(?:stats|statistics|{_MINE})\b"
        rf"|^{_FILLER}my (?:\w+ )?(?:stats|statistics|{_MINE})\W*$"
        rf"|\bwhat (?:kind|sort|type)s? of (?:{_FILMS}|stuff|things) (?:do|am) i\b"
        rf"|\bwhat (?:{_FILMS} )?(?:do|did|have) i (?:like|love|enjoy|prefer|hate|swiped?|liked?)\b"
        r"|\b(?:do|did|have) you (?:know|learn(?:ed|t)?|remember) (?:about )?(?:me|my)\b"
        r"|\bwhat(?:'s| is| are) my favou?rites?\b"
        rf"|\bwhat (?:kind|sort|type)s? of (?:{_FILMS}|stuff|things) (?:do|did|have) you "
        r"(?:think|reckon) i(?:'m| am| like| love| prefer)\b"
        rf"|^{_FILLER}(?:(?:show|open|view|see|display) )?(?:me )?(?:the )?(?:taste )?profile\W*$"
        r"|\bhow well do you know me\b|\b(?:describe|summari[sz]e) my taste\b",
    ),
    (
        Intent.SURVEY,
        r"\b(?:let'?s|let me|do|take|start|begin|open|time to|wanna|want to|like to|can (?:we|i)|"
        r"keep|continue|resume|ready to|more|again|another) (?:to )?(?:with )?"
        r"(?:the |a |an |some |my )?(?:taste )?"
        r"(?:swip(?:e|es|ing)|survey|rate|rating|quiz|cards?)\b(?! (?:mistake|back))"
        rf"|^{_FILLER}(?:swip(?:e|ing)|survey|quiz|cards?)(?: me| time| cards?)?\W*$"
        rf"|^{_FILLER}(?:start|begin)\W*$"
        r"|\b(?:learn|teach|discover|get to know|figure out|find out|test|understand|train|study)\b"
        r" (?:you |yourself )?(?:on |about )?(?:my|what i)\b.{0,15}"
        r"\b(?:tastes?|like|preferences?|style)\b"
        r"|\bget to know me\b|\blearn (?:about )?me\b"
        r"|\b(?:swip(?:e|ing)|taste) (?:cards|survey|session|test|quiz)\b"
        r"|\b(?:show|give|deal|hand) me (?:some |more |a |a few |\d+ )*"
        r"(?:taste |swipe |swiping )?(?:cards|survey|quiz)\b"
        rf"|\brate (?:some|a few|a couple of|\d+|more) {_FILMS}\b"
        r"|(?<!if you )\b(?:quiz|ask|survey) me\b(?! (?:for|later))",
    ),
    (
        Intent.HELP,
        rf"^{_FILLER}help(?: me)?(?: out)?(?: please)?\W*$"
        r"|\bwhat (?:else )?(?:can|could|should|do) (?:you|i|u) (?:do|ask|say|type|offer)\b"
        r"(?! (?:if|about|tonight|today|this))"
        r"|\bhow (?:do|can|does|should) (?:i|we|one|this|it) "
        r"(?:use|work|start|begin|get started|go about)\b"
        rf"|^{_FILLER}(?:commands?|menu|options|usage|manual|instructions)\W*$"
        r"|\bi(?:'m| am) (?:lost|confused)\b|\bhow does this (?:work|start)\b",
    ),
    (
        Intent.GREET,
        r"^(?:hi+|hello+|hey+|hiya|howdy|yo|heya|greetings|good (?:morning|afternoon|evening|day)|"
        r"hallo|hola|bonjour|ciao|salut|namaste)"
        r"(?:\W+(?:there|all|reelwise|again|you|friend|everyone|bot|hi|hello|mate))*\W*$",
    ),
    (
        Intent.SMALLTALK,
        r"^(?:\w+\W+)?how(?:'s| is| are| r)? (?:you|u|it going|things|life|your (?:day|evening))\b"
        r".{0,20}$|^(?:what'?s up|sup|wass?up)\W*$|\b(?:nice|pleased|good) to meet you\b"
        r"|^(?:lol|lmao|rofl|(?:ha){2,}h?|(?:he){2,}|(?:ja){2,})\W*$",
    ),
    (Intent.JOKE, r"\b(?:tell|know|got|say)\b.{0,12}\bjokes?\b"),
    (
        Intent.INSULT,
        r"\b(?:you|u|this bot|this app)(?:'re| are|r)?\b.{0,15}\b(?:sucks?|stupid|useless|idiot|"
        r"dumb|terrible|worthless|garbage|crap|trash|shit|awful|moron|annoying)\b"
        r"|^(?:fuck|screw|damn) (?:you|off|this)\b|^(?:stupid|useless|dumb) (?:bot|thing|app)\b"
        r"|\b(?:hate|can't stand) (?:you|this bot|this app)\W*$",
    ),
    (
        Intent.BYE,
        r"^(?:(?:ok(?:ay)?|thanks|thank you|well|right|cool|great)\W+)*(?:bye|bye ?bye|good ?bye|"
        r"see (?:you|ya|u)|good ?night|cya|farewell|take care|so long|"
        r"that(?:'s| is|s) (?:all|it)\b(?: for)?(?: now| today)?|"
        r"i(?:'m| am) (?:off|done|leaving)|"
        r"(?:gotta|got to|have to|need to|i must) (?:go|leave|run)|"
        r"i (?:have|need|got) to (?:go|leave)|(?:talk|speak)(?: to you)? (?:later|soon)|"
        r"until next time|have a (?:nice|good) (?:day|evening|night|one))\b.{0,25}$"
        r"|^.{0,25}\b(?:bye|goodbye)\W*$",
    ),
    (
        Intent.THANKS,
        r"^(?!no\b)(?:\w+\W+){0,3}"
        r"(?:thanks|thank you|thx|ty|cheers|much appreciated|appreciate it)\b"
        r"(?:\W+(?:so|very|much|a|lot|lots|again|mate|man|buddy|you|all|for|the|your|that|this|"
        r"help|tips?|recommendations?|suggestions?|was|is|were|are|great|perfect|really|helpful|"
        r"nice|kind|of|bunch|million|i|will|watch|it|tonight|bye))*\W*$"
        r"|^ta\b(?:\W+\w+){0,6}\W*$",
    ),
    (
        Intent.ACKNOWLEDGE,
        r"^(?:ok(?:ay)?|k|hm+|oh|cool|nice|great|fine|good|got it|all ?right|sure|y|yes+|yeah|yep|"
        r"yup|perfect|awesome|wow|sounds good|let's go|let's do it|go ahead|of course|definitely|"
        r"why not|i see|interesting)"
        r"(?:\W+(?:please|then|let's go|go ahead|sure|one|thanks))*\W*$",
    ),
    (
        Intent.RESTART,
        rf"^{_FILLER}(?:(?:let's |let us )?start (?:over|again|afresh|from scratch)|restart|"
        r"reset|new search|(?:a )?(?:clean|blank) slate)(?: please)?\W*$",
    ),
    (
        Intent.DECLINE,
        r"^(?:(?:n|no+|nope|nah|not now|not really|no thanks|maybe later|later)\b\W*)+"
        r"(?:leave it|don't bother|it's fine|no need|not today|i'm good)?\W*$",
    ),
    (
        Intent.OFF_TOPIC,
        r"^(?!(?:19|20)\d\d ?- ?(?:19|20)\d\d$)"
        r"(?:what(?:'s| is)|calculate|compute|solve|how much is)?[\s\d().]*\d\s*[-+*/x×÷^]"
        r"[\s\d()+*/x×÷^.-]*\d[\s)]*=?\W*$|\b\d+ (?:plus|minus|times|divided by) \d+\b"
        r"|\b\d+ ?(?:%|percent) of \d+\b"
        r"|\b(?:what(?:'s| is)|how(?:'s| is)) the (?:weather|temperature|time)\b"
        r"|\bweather forecast\b"
        r"|\bwhat time is it\b|\b(?:capital|president|prime minister|population) of\b(?!.*\bfilm)"
        r"|\b(?:recommend|suggest|know|find|book|order|buy|cook)(?: me| us)? "
        r"(?:an? |some |any |the )?(?:\w+ )?(?:restaurants?|recipes?|songs?|hotels?|books?|"
        r"laptops?|phones?|flights?|pizza|dinner|taxi|podcasts?|video ?games?)\b"
        rf"(?!.*\b(?:{_FILMS}|adaptations?|thief)\b)"
        r"|\b(?:write|debug|fix|compile)\b.{0,25}\b(?:code|script|program|function|essay|poem|email|"
        r"python|javascript|sql)\b",
    ),
)

_ABOUT_FILMS = re.compile(
    rf"\b(?:{_FILMS}|watch(?:ing)?|recommend(?:ations?|ed)?|suggest(?:ions?)?|surprise me|"
    r"director|directed|actors?|actress|starring|genres?|sequels?|oscars?|cinematic|thrillers?|"
    r"comed(?:y|ies)|romcoms?|rom-coms?|dramas?|horrors?|westerns?|musicals?|sci-?fi|noirs?|"
    r"anim(?:e|ation|ated)|documentar(?:y|ies)|heists?|whodunn?its?|slashers?|romances?|"
    r"romantic|fantasy|mystery|mysteries|adventures?|westerns?|family)\b"
    r"|\b(?:something|anything|someone|stuff|more) (?:\w+ ){0,2}"
    r"(?:like|with|for|about|from|by|in)\b"
    r"|^(?:something|anything)\b|^what(?:'s| is) (?:good|worth|new|on)\b"
    r"|\bsimilar to\b|\balong the lines of\b|\bin the (?:vein|style) of\b"
    r"|\b(?:ones?|others?|more) like (?:it|that)\b"
    r"|\bwhat (?:do|would) you (?:think|reckon|say|guess) i(?:'d| would|'ll| might) "
    r"(?:like|love|enjoy)\b|\bin the mood\b|\bwould you (?:pick|choose)\b|\bhave you got\b"
    r"|\bi(?:'m| am) bored\b"
    r"|\b(?:19|20)?[1-9]0'?s\b"
)


def plain(text: str) -> str:
    """One line of lower case with straight apostrophes, as the rules expect it."""
    return " ".join(fold(text.replace("’", "'").replace("‘", "'")).split())


def settled(text: str) -> Intent | None:
    """The intent that the wording settles, films apart."""
    said = plain(text)
    for intent, pattern in _BEFORE_FILMS:
        if pattern.search(said):
            return intent
    return None


def about_films(text: str) -> bool:
    """Whether a message speaks of films by its words."""
    return bool(_ABOUT_FILMS.search(plain(text)))
