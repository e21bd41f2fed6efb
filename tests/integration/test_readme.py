"""The README's walk through the REST API is run as it stands there."""

import re
import shlex
from pathlib import Path

from fastapi.testclient import TestClient

from assistant.api.app import create_api
from assistant.api.keys import make_key
from assistant.api.settings import ApiSettings
from recommender import Recommender
from tests.integration.api_client import ApiClient

README = Path(__file__).parents[2] / "README.md"
EXAMPLE = re.compile(r"```console\n\$ (?P<command>.*?[^\\])\n(?P<output>.*?)```", re.DOTALL)


def run(client: TestClient, command: str) -> str:
    """What ``curl -s`` would print."""
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    method, url, headers, data = "GET", "", {}, None
    for word in words:
        match word:
            case "-s":
                continue
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d":
                method, data = "POST", next(words)
            case _:
                url = word.removeprefix("localhost:8000")
    return client.request(method, url, headers=headers, content=data).text


def pattern(output: str) -> str:
    """The shown output as a regular expression in which … stands for anything."""
    return ".*".join(re.escape(part) for part in output.strip().split("…"))


def test_the_walk_through_gives_what_it_shows(recommender: Recommender) -> None:
    client = ApiClient(create_api(recommender, ApiSettings()), "http://localhost:8000")
    examples = list(EXAMPLE.finditer(README.read_text()))
    assert len(examples) >= 6
    for example in examples:
        printed = run(client, example["command"])
        assert re.fullmatch(pattern(example["output"]), printed, re.DOTALL), (
            f"{example['command']}\nshows\n{example['output']}\nprints\n{printed}"
        )


def test_the_credentials_do_what_it_shows(recommender: Recommender, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key = make_key(file, "ada")
    client = TestClient(
        create_api(recommender, ApiSettings(api_keys_file=file)), "http://localhost:8000"
    )
    section = README.read_text().partition("### Who may ask")[2].partition("\n## ")[0]
    examples = re.findall(r"^\$ (curl .*)\n(.*)$", section, re.MULTILINE)
    assert len(examples) == 3
    for command, output in examples:
        printed = run(client, command.replace("$KEY", key))
        assert re.match(pattern(output), printed), f"{command}\nprints\n{printed}"


def test_every_setting_in_the_readme_exists() -> None:
    from assistant.commands.sagemaker import SageMakerSettings
    from assistant.settings import Settings
    from recommender.settings import RecommenderSettings

    known = {*Settings.model_fields, *RecommenderSettings.model_fields, *ApiSettings.model_fields}
    known |= {f"sagemaker_{name}" for name in SageMakerSettings.model_fields}
    table = README.read_text().partition("## Settings")[2]
    named = re.findall(r"`([A-Z][A-Z_]+)`", table)
    assert named
    assert {name.lower() for name in named} <= known
