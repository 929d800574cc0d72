"""What the apiserver's answer about the twin means for the object.

Only an answer about the object itself refuses it: what validation says, or that it cannot even be read. All else
(AlreadyExists, a quota, somebody's policy for the built-in kind, no permission, no answer) is about the twin, which
nobody wants, or about the moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from operators.core.admission.review import TWINS, Review
from operators.core.objects import KOPFWERK, Obj


@dataclass(frozen=True, slots=True)
class Answer:
    """How the apiserver refused the dry run: the HTTP status, the message, and the causes of the Status' details."""

    status: int
    message: str
    causes: Sequence[Obj] = ()


def refusal(review: Review, answer: Answer) -> str | None:
    """Return why the object is refused, in upstream's words with our kind's name, or None where it is not.

    While the template is unchanged its errors do not count: the object is there already (it was written while the
    webhook was down, or under an older apiserver), and must still be scaled and paused.
    """
    kind = review.obj["kind"]
    group = TWINS[kind].group
    twin, ours = f"{kind}.{group} " if group else f"{kind} ", f"{kind}.{KOPFWERK} "
    if answer.status == 400 and answer.message.startswith(f'{kind} in version "{TWINS[kind].version}" cannot be'):
        return answer.message
    # A policy may answer 422 too, but in other words: `deployments.apps "web" is forbidden: …`
    head, invalid, _ = answer.message.partition(" is invalid: ")
    if answer.status != 422 or not invalid or not head.startswith(twin + '"'):
        return None
    ours = ours + head.removeprefix(twin) + invalid
    if not review.is_template_unchanged:
        return ours + answer.message.partition(" is invalid: ")[2]
    left = [
        f"{cause.get('field')}: {cause.get('message')}"
        for cause in answer.causes
        if not _is_in(f"spec.{review.template}", cause)
    ]
    if not left:
        return None
    return ours + (left[0] if len(left) == 1 else f"[{', '.join(left)}]")


def _is_in(parent: str, cause: Obj) -> bool:
    """Whether a cause names a field, or one in it."""
    field = str(cause.get("field", ""))
    return field == parent or field.startswith((f"{parent}.", f"{parent}["))
