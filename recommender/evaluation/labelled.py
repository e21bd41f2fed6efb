"""The checker of written explanations, held against sentences whose truth is known."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recommender.claims import ClaimChecker, Splitter
from recommender.errors import InvalidRequest
from recommender.models import Evidence, Item

_EVIDENCE = re.compile(r"(against )?(\w+)(?: = (.+?))? \| (.+)")


@dataclass
class Scene:
    """A film, evidence for it, and sentences; ``true`` of each that follows from both."""

    item: Item
    evidence: list[Evidence] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    sentences: list[tuple[str, bool]] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """What became of a sentence that is ``true`` or not."""

    scene: Scene
    sentence: str
    true: bool
    kept: bool


def read_scenes(path: Path, films: Sequence[Item]) -> list[Scene]:
    """Read a file as ``tests/explanations/README.md`` describes it.

    Raises InvalidRequest naming the line that is wrong.
    """
    named = {f"{film.title} ({film.year})": film for film in films}
    titled = {film.title: film for film in reversed(films)}
    scenes: list[Scene] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            if line.startswith("["):
                scenes.append(Scene(named[line.strip("[] ")]))
            else:
                _add(line, scenes[-1], titled)
        except (KeyError, IndexError, ValueError) as error:
            raise InvalidRequest(
                f"{path} line {number} is neither [film (year)], + or - and a sentence, "
                f"nor kind = film | text: {line}"
            ) from error
    return scenes


def judge(scenes: Sequence[Scene]) -> Iterator[Verdict]:
    """Have all sentences of a scene checked as one text, true and untrue as they come."""
    for scene in scenes:
        checker = ClaimChecker(scene.item, scene.evidence, scene.titles)
        splitter = Splitter(checker.names)
        text = " ".join(sentence for sentence, _ in scene.sentences)
        said = [*splitter.feed(text), *splitter.finish()]
        kept = {sentence for sentence in said if checker.checked(sentence) is not None}
        for sentence, true in scene.sentences:
            yield Verdict(scene, sentence, true, sentence in kept)


def figures(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """How many sentences are true and false, and how many of each were kept."""
    true = [verdict for verdict in verdicts if verdict.true]
    false = [verdict for verdict in verdicts if not verdict.true]
    return {
        "true": len(true),
        "true kept": sum(verdict.kept for verdict in true),
        "false": len(false),
        "false kept": sum(verdict.kept for verdict in false),
    }


def _add(line: str, scene: Scene, titled: Mapping[str, Item]) -> None:
    if line[:2] in ("+ ", "- "):
        scene.sentences.append((line[2:], line[0] == "+"))
        return
    found = _EVIDENCE.fullmatch(line)
    if found is None:
        raise ValueError(line)
    against, kind, about, text = found.groups()
    film = titled[about] if about else None
    if film:
        scene.titles[film.item_id] = film.title
    scene.evidence.append(
        Evidence.model_validate(
            {
                "kind": kind,
                "text": text,
                "item_id": film.item_id if film else None,
                "against": against is not None,
            }
        )
    )
