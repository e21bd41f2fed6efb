"""Reads a query: films and people it names, years and genres it asks for, and for whom."""

from functools import lru_cache

from recommender.catalogue import Catalogue
from recommender.kept import JSON, UNKEPT, Kept
from recommender.models import MAX_NAMES, Filters, Item, Part, Understanding
from recommender.query.anchors import NamedFilm, TitleFinder
from recommender.query.careers import find_careers, years_of
from recommender.query.exclusions import Exclusion, ExclusionFinder
from recommender.query.filler import Filler
from recommender.query.genres import GenreFinder, GenreWishes, genre_phrases, plain_phrases
from recommender.query.lengths import LengthFinder
from recommender.query.lookup import Lookup
from recommender.query.people import NamedPerson, PeopleFinder, PersonIndex
from recommender.query.recipients import Recipient, RecipientFinder, for_others
from recommender.query.refusals import find_refusals, names_any
from recommender.query.titles import TitleIndex
from recommender.query.typos import Typos
from recommender.query.vocabulary import everyday_words
from recommender.query.words import Span, Words
from recommender.query.years import YearFinder, Years, wanted

MAX_CHARS = 600
KEPT_QUERIES = 2000
"""Who asks why, or pages through an answer, sends the same words again."""
FOR_THE_YOUNG = ("Children",)
FOR_THE_FAMILY = ("gory", "scary")
"""What children and one's elders are shown less of, where nothing like it is wished for."""
NOT_GENTLE = frozenset({"Horror", "Thriller", "Crime", "War", "Film-Noir"})


class QueryReader:
    """Understands queries over one catalogue. Immutable after construction, so thread-safe."""

    def __init__(self, catalogue: Catalogue, kept: Kept = UNKEPT) -> None:
        everyday = frozenset(kept.get("everyday", lambda: everyday_words(catalogue), JSON))
        people = PersonIndex(catalogue, kept)
        titles = TitleIndex(catalogue, everyday, people.words, kept)
        self._filler = Filler(everyday)
        self._typos = Typos(everyday | people.words, genre_phrases().keys, self._filler)
        self._lookup = Lookup(titles, plain_phrases())
        self._titles = TitleFinder(titles)
        self._exclusions = ExclusionFinder(titles, catalogue)
        self._catalogue = catalogue
        self._people = PeopleFinder(people, everyday, genre_phrases())
        self._years = YearFinder(catalogue)
        self._lengths = LengthFinder()
        self._genres = GenreFinder(catalogue, everyday)
        self._recipients = RecipientFinder()
        self._remembered = lru_cache(KEPT_QUERIES)(self._understood)

    def read(self, query: str) -> Understanding:
        """Read a query; never raises. Longer than ``MAX_CHARS`` it is prose, and only text."""
        return self._remembered(query)

    def _understood(self, query: str) -> Understanding:
        if len(query) > MAX_CHARS:
            return Understanding(text=" ".join(query.split()))
        words = Words.parse(query)
        if found := self._lookup.whole(words):
            return _looked_up(words, *found)
        words = self._typos.mended(words)
        titles = self._exclusions.titles(words)
        films = [film for film in self._titles.find(words) if not _within(film.span, titles)]
        words = words.take(titles)
        recipients = self._recipients.find(words.take(film.span for film in films))
        asked = self._filler.strip(words.take(recipient.span for recipient in recipients))
        if not any(film.compared for film in films) and (found := self._lookup.asked(asked)):
            return _looked_up(words, *found, for_someone_else=for_others(recipients))
        return self._request(words, titles, films, recipients)

    def left_out(self, understood: Understanding) -> list[str]:
        """The ids of the films that carry a name that is refused."""
        rows = self._exclusions.rows(understood.without)
        return [self._catalogue.items[row].item_id for row in rows]

    def _request(
        self,
        words: Words,
        titles: list[Span],
        films: list[NamedFilm],
        recipients: list[Recipient],
    ) -> Understanding:
        words = words.take([*(film.span for film in films), *(each.span for each in recipients)])
        years = self._years.periods(words)
        words = words.take(found.span for found in years)
        people, career = self._people_and_career(words)
        words = words.take(person.span for person in people if not person.refused)
        if career:
            words = words.take([career[1].span])
        years += self._years.ages(words, self._filler.strip(words).left(), _anchor_year(films))
        words = words.take(found.span for found in years)
        part = None
        if career and wanted(words, years) == (None, None):  # years that are stated stand
            part = career[0]
            years.append(career[1])
        words = words.take(span for span, _ in self._lengths.find(words))
        refused = list(find_refusals(words))
        words = words.take(span for span, _ in refused)
        words = words.give_back(titles)
        others = [*(p.span for p in people if p.refused), *(span for span, _ in refused)]
        left_out = self._exclusions.find(words.take(p.span for p in people), others)
        words = words.take(each.span for each in left_out)
        with_young = any(each.young and each.together for each in recipients)
        for_young = any(each.young and not each.together for each in recipients)
        genres = self._genres.find(
            words,
            leanings=FOR_THE_YOUNG if with_young else (),
            needed=FOR_THE_YOUNG if for_young else (),
        )
        less = [word for _, word in refused]
        if any(recipient.gentle for recipient in recipients) and not films:
            less += _unwished(words, genres)
        words = words.take([*genres.spans, *(person.span for person in people)])
        return Understanding(
            text=self._filler.clean(words),
            similar_to=tuple(film.item.item_id for film in films),
            filters=_filters(people, wanted(words, years), genres),
            soft_genres=genres.soft,
            less=tuple(dict.fromkeys(less)),
            without=_names(left_out, known=True),
            unknown=_names(left_out, known=False),
            part=part,
            for_someone_else=for_others(recipients),
        )

    def _people_and_career(
        self, words: Words
    ) -> tuple[list[NamedPerson], tuple[Part, Years] | None]:
        """The people named, and which part of their work is asked for, if years tell it."""
        for career in find_careers(words):
            rest = words.take([career.span])
            lone = self._filler.strip(rest if career.works else words).left()
            announced = career.span.end if career.begins else None
            people = self._people.find(rest, lone, announced)
            if any(map(career.is_of, people)):
                names = [name for person in people if not person.refused for name in person.names]
                years = years_of(career.part, names, self._catalogue)
                if years != (None, None):
                    return people, (career.part, Years(career.span, years))
        return self._people.find(words, self._filler.strip(words).left()), None


def _within(span: Span, others: list[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)


def _names(found: list[Exclusion], *, known: bool) -> tuple[str, ...]:
    names = dict.fromkeys(each.name for each in found if each.known == known)
    return tuple(names)[:MAX_NAMES]


def _looked_up(
    words: Words, span: Span, film: Item, *, for_someone_else: bool = False
) -> Understanding:
    text = words.only(span).text()
    return Understanding(text=text, lookup=film.item_id, for_someone_else=for_someone_else)


def _unwished(words: Words, genres: GenreWishes) -> tuple[str, ...]:
    wished = NOT_GENTLE.intersection((*genres.include, *genres.soft)) or names_any(
        words, FOR_THE_FAMILY
    )
    return () if wished else FOR_THE_FAMILY


def _anchor_year(films: list[NamedFilm]) -> int | None:
    return films[0].item.year if films else None


def _filters(
    people: list[NamedPerson], years: tuple[int | None, int | None], genres: GenreWishes
) -> Filters:
    refused = dict.fromkeys(name for person in people if person.refused for name in person.names)
    wanted = dict.fromkeys(name for person in people for name in person.names)
    return Filters(
        include_genres=genres.include,
        exclude_genres=genres.exclude,
        year_from=years[0],
        year_to=years[1],
        people=tuple(name for name in wanted if name not in refused)[:MAX_NAMES],
        exclude_people=tuple(refused)[:MAX_NAMES],
    )
