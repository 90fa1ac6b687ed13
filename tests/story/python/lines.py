"""How each value is printed: the tables of ``tests/story/README.md``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import sesame
from events import said
from words import h, named, s, words, yes


def group_word(group: bytes | None) -> str | None:
    return f"group {s(group)}" if group else None


def coded(word: str, code: sesame.Code | None) -> str | None:
    return None if code is None else f"{word} {code}"


def item(of: sesame.InboxItem) -> str:
    if not isinstance(of, sesame.Message):
        return f"{of.id}: event {said(of)}"
    line = f"message {of.user}/{of.device} number {of.sequence} at {of.sent_at} content {s(of.content_id)} session {s(of.session_id)}"
    rest = words(
        group_word(of.group),
        None if of.recipients is None else named("to", of.recipients),
        "removed-device" if of.from_removed_device else None,
        "no-one-time-key" if of.no_one_time_key else None,
        "older-session" if of.older_session else None,
        "former-member" if of.from_former_member else None,
    )
    return f'{of.id}: {line}{rest} "{of.payload.decode()}"'


def result(at: int, of: sesame.MailResult) -> str:
    line = f"{at}: {of.outcome.value}" + words(named("items", of.items), "keep" if of.keep else None, coded("code", of.code))
    if of.sender is None:
        return line
    return f"{line} from {of.sender.user}/{of.sender.device} {'authenticated' if of.sender.authenticated else 'claimed'}"


def request(of: sesame.ServerRequest) -> str:
    return f"request {of.kind.value} {len(of.body)} {h(of.body)}" + words(named("users", of.users))


def answered(status: int, of: sesame.Answered) -> str:
    rest = named("items", of.items), named("sends", map(s, of.sends))
    return f"  {status}" + words(None if of.known else "unknown", coded("problem", of.problem), *rest)


def send(of: sesame.PendingSend) -> str:
    return f"send {s(of.id)} content {s(of.content_id)}"


def skips(of: Iterable[sesame.Skipped]) -> str | None:
    return named("skip", (f"{skip.device}:{skip.code}" for skip in of))


def status(of: sesame.SendStatus) -> list[str]:
    ids = f"send {s(of.id)} content {s(of.content_id)}" + words(group_word(of.group))
    lines = [f"{ids} {'finished' if of.finished else 'open'} {len(of.payload)} bytes"]
    for user in of.users:
        waits = None if user.waiting_for is sesame.WaitingFor.NOTHING else f"for {user.waiting_for.value}"
        rest = words(waits, f"reached {user.reached}", skips(user.skipped), coded("code", user.code))
        lines.append(f"  {user.user} {user.outcome.value}{rest}")
    return lines


def batch(of: sesame.Batch) -> str:
    envelopes = " ".join(f"{out.device}:{len(out.envelope)}:{h(out.envelope)}" for out in of.envelopes)
    return f"batch {of.user}" + words("targeted" if of.targeted else None, envelopes, skips(of.skips))


def health(of: sesame.Health) -> str:
    counts = f"open {of.open_sends} inbox {of.inbox} left {of.mail_left} offset {of.clock_offset}"
    return f"registered {yes(of.registered)}" + words(coded("problem", of.problem), f"due {of.due_in // timedelta(milliseconds=1)}", counts)


def group(view: sesame.GroupView) -> str:
    diverged = [f"{at.user}/{at.device}" for at in view.diverged]
    rest = named("members", view.members), f'name "{view.info.name}"', named("diverged", diverged)
    return f"group {s(view.id)} standing {view.standing.value}" + words(*rest)


def session(view: sesame.SessionView | None) -> str:
    if view is None:
        return "no session"
    counts = f"sent {view.sent} received {view.received} inactive {view.inactive}"
    return f"session {s(view.id)} generation {view.generation} initiating {yes(view.initiating)} {counts}"


def user(view: sesame.UserView) -> str:
    return f"user {view.user} key {s(view.account_key)}" + words(
        f"claimed {s(view.claimed_key)}" if view.claimed_key else None,
        "verified" if view.verified else None,
        f"epoch {view.epoch}",
        "forked" if view.forked else None,
        "paused" if view.paused else None,
    )


def device(view: sesame.DeviceView) -> str:
    state = view.state.value.replace("_", "-")
    line = f"device {view.device} signing {s(view.signing_key)} identity {s(view.identity_key)} {state}"
    return line + words(f"session {s(view.session_id)}" if view.session_id else None)


def act(of: sesame.Act) -> str:
    match of:
        case sesame.AddedMembers(users=users):
            return f"added {','.join(users)}"
        case sesame.RetiredDevice(retired=retired):
            return f"retired {retired}"
        case sesame.AcceptedInvitation():
            return "accepted"
        case sesame.DeclinedInvitation():
            return "declined"
        case sesame.CreatedGroup():
            return "created"
        case sesame.LeftGroup():
            return "left"
        case sesame.UpdatedInfo():
            return "updated"


def seen(view: sesame.RelayView) -> list[str]:
    lines = []
    for each in view.seen:
        match each:
            case sesame.BundleFetched(user=user, device=device):
                lines.append(f"bundle {user}/{device}")
            case sesame.Published(user=user, device=device, size=size):
                lines.append(f"published {user}/{device} {size}")
            case sesame.Submitted():
                envelopes = " ".join(f"{one.device}:{one.size}{':initiation' if one.initiation else ''}" for one in each.envelopes)
                rest = words(envelopes, named("skipped", each.skipped), "accepted" if each.accepted else "refused")
                lines.append(f"{each.sender.user}/{each.sender.device} -> {each.recipient}{rest}")
    return lines + [f"waiting {user}/{device} {count}" for (user, device), count in view.waiting.items() if count]
