"""What the OpenAPI document allows, and what it does not, tried at random on the real server:
every answer is one that the document promises, and none is a server error.

``API_FUZZ_EXAMPLES`` asks for more cases of each operation than the few that fit into CI, and
``API_FUZZ_SEED`` for others.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.processes import serving

EXAMPLES = os.environ.get("API_FUZZ_EXAMPLES", "12")
SEED = int(os.environ.get("API_FUZZ_SEED", "7"))
UNLIMITED = {"RATE_LIMIT": "1000000/second", "RATE_LIMIT_PER_ADDRESS": "1000000/second"}
# Rules that no schema can express are refused with 422: years in order, a moment in the past, fewer
# cards than there are films, an Idempotency-Key that belongs to another request.
CONFIG = f"""
seed = {SEED}
continue-on-failure = true
[cache]
enabled = false
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "404", "422"]
"""


def test_every_answer_is_one_that_is_documented(tmp_path: Path, indexed_url: str) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    with serving(tmp_path / "home", DATABASE_URL=indexed_url, **UNLIMITED) as server:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                f"--config-file={config}",
                "run",
                f"{server.url}/openapi.json",
                f"--max-examples={EXAMPLES}",
                "--checks=all",
                "--request-timeout=60",
                "--suppress-health-check=too_slow",
                "--phases=examples,coverage,fuzzing,stateful",
                "--no-color",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
