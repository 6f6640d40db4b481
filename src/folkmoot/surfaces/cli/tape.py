"""`folkmoot tape`: whether a recording is what was signed while it was made, and what is wrong where."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from folkmoot.surfaces.cli.printable import printable
from folkmoot.surfaces.cli.remote import DEADLINE_S, CannotVerify, RemoteSpace, deadline
from folkmoot.tape import layout
from folkmoot.tape.checkpoint import NoteInvalid, Verifier
from folkmoot.tape.evidence import Progress, codecs_of, evidence_of
from folkmoot.tape.excerpt import findings_of
from folkmoot.tape.loose import LooseSound, read_loose
from folkmoot.tape.model import Codec, TapeError
from folkmoot.tape.verify import Finding, Kind, Verdict, clock, signed_of, verify

FINDINGS_MAX = 50
_KEY_LETTERS_MAX = 1000
_PROGRESS_EVERY_S = 0.2

What = Annotated[
    str,
    typer.Argument(
        metavar="FILE|URL", help="A recording's folder, a clip or downloaded replay, or a Space's address."
    ),
]
Space = Annotated[str | None, typer.Option(help="For a clip or a download: the address of the Space it is of.")]
Key = Annotated[str | None, typer.Option(help="The verifier key that has to have signed it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Say it in JSON.")]


class Report(msgspec.Struct, frozen=True):
    """What `--json` prints. `intact`: all that was signed is as it was; `served_part_intact`: what is served is.
    `pinned`: the key was given, rather than found with the recording. `asked`: the server, if one was asked."""

    what: str
    intact: bool
    served_part_intact: bool
    key: str
    pinned: bool
    asked: str | None
    renditions: list[Verdict]

    @property
    def exit_code(self) -> int:
        """0: intact, 1: damaged, 2: it can't be told, of all or of a part."""
        return 0 if self.intact else 2 if self.served_part_intact else 1


def build_tape() -> typer.Typer:
    """The commands."""
    app = typer.Typer(no_args_is_help=True, help="Verify recordings.")
    app.command("verify")(verify_tape)
    return app


def verify_tape(what: What, space: Space = None, key: Key = None, as_json: AsJson = False) -> None:
    """Check a recording against its signed checkpoints. Exit code 0: intact; 1: damaged; 2: it can't be told."""
    try:
        report = _report(what, space, key)
    except (CannotVerify, TapeError, OSError) as error:
        sys.stderr.write(f"\r{printable(str(error))}\n")
        raise typer.Exit(2) from error
    if as_json:
        # In ASCII: a terminal obeys some letters that JSON need not escape.
        typer.echo(json.dumps(msgspec.to_builtins(report), indent=2))
    else:
        typer.echo("\n".join(lines(report)))
    raise typer.Exit(report.exit_code)


def _report(what: str, space: str | None, key: str | None) -> Report:
    pinned = Verifier.parse(key) if key else None
    asked = None
    if "://" in what:
        remote = RemoteSpace.at(what)
        with deadline(DEADLINE_S):
            verdicts, found_key = _of_space(remote, pinned)
        asked = remote.server
    elif Path(what).is_file():
        sound = read_loose(Path(what))
        remote = RemoteSpace.at(space) if space else _named_in(sound.comment, pinned)
        with deadline(DEADLINE_S):
            verdicts, found_key = of_file(sound, remote, pinned)
        asked = remote.server
    else:
        verdicts, found_key = _of_folder(Path(what), pinned)
    is_intact = all(verdict.is_intact for verdict in verdicts)
    is_whole = not any(verdict.not_served_ms for verdict in verdicts)
    return Report(what, is_intact and is_whole, is_intact, found_key, pinned is not None, asked, verdicts)


def _named_in(page: str, pinned: Verifier | None) -> RemoteSpace:
    """The Space that a file says it is of. Without a key that is no judge: forgers name servers, too."""
    if not page:
        raise CannotVerify("Say with --space of which Space this is: https://HOST/spaces/NUMBER.")
    space = RemoteSpace.at(page)
    if pinned is None:
        what = f"This file itself names {space.server} to judge it, as a forged one would its forger's."
        raise CannotVerify(f"{what} If {space.host} is who should, say --space {space.page}, or give the --key.")
    return space


def _of_folder(directory: Path, pinned: Verifier | None) -> tuple[list[Verdict], str]:
    codecs = codecs_of(directory)
    verifier = pinned or _key_beside(directory)
    progress = _Progress()
    verdicts = []
    for codec in codecs:
        evidence = evidence_of(directory, codec, progress.of(codec))
        verdicts.append(_within_folder(verify(evidence, verifier, None), directory))
    progress.end()
    return verdicts, str(verifier)


def _of_space(space: RemoteSpace, pinned: Verifier | None) -> tuple[list[Verdict], str]:
    verifier = pinned or space.verifier()
    progress = _Progress()
    verdicts = [verify(space.evidence(codec, progress.of(codec)), verifier, space.name) for codec in Codec]
    progress.end()
    return verdicts, str(verifier)


def of_file(sound: LooseSound, space: RemoteSpace, pinned: Verifier | None) -> tuple[list[Verdict], str]:
    """A clip or a download against what its server signed. Raises CannotVerify, OSError."""
    verifier = pinned or space.verifier()
    evidence = space.signatures(sound.config)
    verdict, signed = signed_of(evidence, verifier, space.name)
    findings = (*verdict.findings, *findings_of(sound.frames, signed, evidence.taken_out, Codec.AAC))
    return [msgspec.structs.replace(verdict, findings=findings)], str(verifier)


def _key_beside(directory: Path) -> Verifier:
    try:
        with layout.verifier_key_path(directory).open() as file:
            return Verifier.parse(file.read(_KEY_LETTERS_MAX))
    except FileNotFoundError as error:
        raise CannotVerify(f"{directory} has no verifier key: give it with --key, if it was signed.") from error
    except (NoteInvalid, UnicodeDecodeError) as error:
        raise CannotVerify(f"The verifier key in {directory} is none: give it with --key.") from error


def _within_folder(verdict: Verdict, directory: Path) -> Verdict:
    """A folder is named after its Space: another's signed recording in it is no less wrong."""
    name = directory.resolve().name
    if not name.isdigit() or not verdict.origin or verdict.origin.endswith(f"/spaces/{name}/{verdict.codec}"):
        return verdict
    what = f"This was signed as {verdict.origin}, which is not the Space {name}."
    finding = Finding(Kind.CHECKPOINT, verdict.codec, 0, verdict.found_ms, what)
    return msgspec.structs.replace(verdict, findings=(finding, *verdict.findings))


def lines(report: Report) -> list[str]:
    """The report for people."""
    said = [f"{report.what}: {_summary(report)}"]
    asked = f", asked {report.asked}" if report.asked else ""
    for verdict in report.renditions:
        signed = f"{length(verdict.signed_ms)} signed, {verdict.parts:,} parts, {verdict.checkpoints:,} checkpoints"
        end = "" if verdict.ended else "; its end is not signed: there may be more"
        said.append(f"  {verdict.codec}: {_state(verdict)}; {signed}{end}")
        said.append(f"    signed as {verdict.origin or 'nobody'}{asked}")
        said += [f"    {_line(finding)}" for finding in verdict.findings[:FINDINGS_MAX]]
        if len(verdict.findings) > FINDINGS_MAX:
            said.append(f"    and {len(verdict.findings) - FINDINGS_MAX:,} more")
    said.append(f"  key: {report.key}")
    if not report.pinned:
        source = f"is the one that {report.asked} names" if report.asked else "was found with the recording"
        said.append(f"  The key {source}. If you have it from elsewhere, give it with --key.")
    return [printable(line) for line in said]


def _summary(report: Report) -> str:
    if not report.served_part_intact:
        return "NOT what was signed"
    if report.intact:
        return "intact"
    least = max(report.renditions, key=lambda verdict: verdict.not_served_ms)
    return _state(least)


def _state(verdict: Verdict) -> str:
    if not verdict.is_intact:
        return "damaged"
    if not verdict.not_served_ms:
        return "intact"
    served_ms = verdict.signed_ms - verdict.not_served_ms
    return f"intact as far as served: {length(served_ms)} of {length(verdict.signed_ms)}"


def _line(finding: Finding) -> str:
    place = clock(finding.from_ms)
    if finding.to_ms > finding.from_ms:
        place += f"–{clock(finding.to_ms)}"
    return f"{place} {finding.kind}: {finding.what}"


def length(length_ms: int) -> str:
    """2 h 3 min 4 s."""
    seconds = length_ms // 1000
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours} h {minutes} min {seconds % 60} s" if hours else f"{minutes} min {seconds % 60} s"


class _Progress:
    """A line on a terminal's standard error that counts up, and goes away."""

    def __init__(self) -> None:
        self._shows = sys.stderr.isatty()
        self._next_s = 0.0

    def of(self, codec: Codec) -> Progress:
        """What tells of one rendition."""

        def tell(done: int, all_parts: int) -> None:
            now_s = time.monotonic()
            if self._shows and now_s >= self._next_s:
                self._next_s = now_s + _PROGRESS_EVERY_S
                sys.stderr.write(f"\r{codec}: {done:,} of {all_parts:,} parts ")
                sys.stderr.flush()

        return tell

    def end(self) -> None:
        """Takes the line away."""
        if self._shows:
            sys.stderr.write("\r\x1b[K")
