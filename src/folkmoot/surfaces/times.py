"""Times in JSON: RFC 3339 in, Unix milliseconds inside."""

from datetime import UTC, datetime

from folkmoot.gate import invalid


def parse_time(text: str, field: str) -> int:
    """Unix ms of an RFC 3339 time; without a zone it is UTC. Raises Refused 422."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid(f"{field} is a time such as 2027-01-31T18:00:00Z.") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
