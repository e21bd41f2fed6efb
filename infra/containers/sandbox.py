"""Layers as the root of a process, as a container has them: a mount namespace and ``chroot``.

In the base image's place stand this machine's /usr and /etc, which nothing can write to, and, at
/usr/local as in the official images, the Python that runs this. Needs root on a Linux whose /bin
and /lib are those of /usr.
"""

import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PYTHON = sys.base_prefix
FOLDERS = ("dev", "proc", "root", "run", "tmp", "usr", "var", PYTHON.lstrip("/"))
OF_USR = ("bin", "lib", "lib64", "sbin")


@dataclass(frozen=True)
class Sandbox:
    """A root that is made of layers, the lowest first; the last one takes what is written.

    ``bound`` are folders of this machine by their place inside; ``emptied`` are folders that are
    empty at first and may be written to; everything else is read-only if ``sealed``.
    """

    layers: Sequence[Path]
    root: Path
    bound: Mapping[str, Path] = field(default_factory=dict)
    emptied: Sequence[str] = ()
    sealed: bool = False

    def command(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        folder: str = "/",
        user: str = "root",
    ) -> Sequence[str]:
        """What runs ``words`` inside, as process 1; when it is ended, all that it started ends."""
        variables = [f"{name}={value}" for name, value in environment.items()]
        inside = f"cd {shlex.quote(folder)} && exec env -i {shlex.join([*variables, *words])}"
        start = ["chroot", "--groups=", f"--userspec={user}:{_group(user)}", str(self.root)]
        script = [*self._mounts(), f"exec {shlex.join([*start, '/bin/sh', '-c', inside])}"]
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        return [*apart, "/bin/sh", "-ec", "\n".join(script)]

    def _mounts(self) -> Sequence[str]:
        *lower, upper = map(str, self.layers)
        root, work = self.root, self.root.with_name(f"{self.root.name}.work")
        below = ":".join(reversed(lower))
        for folder in (self.root, work):
            folder.mkdir(parents=True, exist_ok=True)
        options = f"lowerdir={below},upperdir={upper},workdir={work}"
        mounts = [
            f"mount -t overlay overlay -o {options} {root}",
            f"mount --bind -o ro /usr {root}/usr",
            # In its own place too, where its programs look for its libraries.
            *(f"mount --bind -o ro {PYTHON} {root}{place}" for place in ("/usr/local", PYTHON)),
            f"mount --rbind /dev {root}/dev",
            f"mount -t proc proc {root}/proc",
        ]
        for inside, outside in self.bound.items():
            mounts += [f"mkdir -p {root}{inside}", f"mount --bind {outside} {root}{inside}"]
        mounts += [f"mkdir -p {root}{inside}" for inside in self.emptied]
        mounts += [f"mount -o remount,ro {root}"] if self.sealed else []
        mounts += [f"mount -t tmpfs -o mode=1777 tmpfs {root}{each}" for each in self.emptied]
        return mounts


def base_layer(folder: Path) -> Path:
    """The lowest layer, made once: an empty Linux whose programs will be mounted."""
    if folder.exists():
        return folder
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "tmp").chmod(0o1777)
    for name in OF_USR:
        (folder / name).symlink_to(f"usr/{name}")
    shutil.copytree("/etc", folder / "etc", symlinks=True)
    return folder


def _group(user: str) -> str:
    return user if user.isdecimal() else "root"
