"""Types that decoders of several languages know."""

from typing import Annotated

from msgspec import Meta

Url = Annotated[str, Meta(pattern=r"^https?://[^\s]+$")]
Time = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Digits = Annotated[str, Meta(pattern=r"^\d+$")]
