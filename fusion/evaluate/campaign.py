"""From a peer to its stored runs; what is stored already is not done again."""

from pathlib import Path

from tqdm import tqdm

from fusion.evaluate.harness import TEST, VALIDATION, Harness, Run, fits_to_tune
from fusion.evaluate.peers.registry import Peer
from fusion.evaluate.runs import path_of, read_run, store


def measure_peer(
    harness: Harness, peer: Peer, out: Path, final: bool = False, again: bool = False
) -> None:
    """Tune a peer and measure it on validation; `final`, on test too, with a bar of its name.

    A stored run counts, unless `again`, if plan, data and grid are those of now; its trials are
    then what `final` builds upon, so nothing is tuned twice.

    Raises:
        DataUnusable: a task has no case, or a stored file is no run.
    """
    tuned = None if again else _stored(harness, peer, out, VALIDATION)
    tested = None if again else _stored(harness, peer, out, TEST)
    with tqdm(total=0, desc=peer.name, unit="fit", disable=None) as bar:
        if tuned is None:
            bar.reset(fits_to_tune(peer) + len(peer.tasks))
            trials = harness.tune(peer, bar.update)
            tuned = harness.measure(peer, trials, tick=bar.update)
            store(tuned, out)
        if final and (tested is None or tested.trials != tuned.trials):
            bar.reset(len(peer.tasks))
            store(harness.measure(peer, tuned.trials, final=True, tick=bar.update), out)


def _stored(harness: Harness, peer: Peer, out: Path, measured_on: str) -> Run | None:
    path = path_of(peer.name, measured_on, out)
    run = read_run(path) if path.exists() else None
    return run if run and harness.is_current(run, peer) else None
