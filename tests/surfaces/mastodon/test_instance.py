"""What the server says of itself to clients that ask before anything else."""

import httpx


async def test_nodeinfo_says_which_software_this_is(client: httpx.AsyncClient) -> None:
    links = (await client.get("/.well-known/nodeinfo")).json()["links"]
    assert [link["rel"] for link in links] == ["http://nodeinfo.diaspora.software/ns/schema/2.1"]
    shown = (await client.get(links[0]["href"])).json()
    assert (shown["version"], shown["software"]["name"]) == ("2.1", "folkmoot")
    assert shown["usage"]["localPosts"] == 0
    assert shown["openRegistrations"] in (True, False)
