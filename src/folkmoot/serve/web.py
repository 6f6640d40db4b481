"""The web process: everything HTTP at one address, with the door to the audience in front of the application."""

import asyncio
import resource
import socket
import time
from functools import partial
from typing import cast

import uvicorn
import uvloop
from litestar import Litestar
from litestar.types import ASGIApp

from folkmoot import __version__
from folkmoot.accounts import marks
from folkmoot.accounts.marks import Marks
from folkmoot.accounts.second_factor import codes
from folkmoot.accounts.second_factor.codes import Seal
from folkmoot.app import build_app
from folkmoot.audience.ceiling import Ceiling
from folkmoot.audience.door import CONNECTIONS_MAX, Door
from folkmoot.audience.entrance import wider
from folkmoot.audience.estimate import HlsEstimate
from folkmoot.audience.handoff import Handoff
from folkmoot.audience.upgraded import SocketProtocol
from folkmoot.gate import Gate, LeaseBook, Register
from folkmoot.gate.watch import RevocationWatch
from folkmoot.mail.outbox import Outbox
from folkmoot.media.cache import Cache
from folkmoot.media.depot import Depot
from folkmoot.media.processing import Workshop
from folkmoot.notifications.push.sealing import KEY as WEB_PUSH
from folkmoot.notifications.push.sealing import Sender
from folkmoot.posts.emojis.actions import EMOJIS_CHANGED
from folkmoot.recordings.live_tapes import LiveTapes
from folkmoot.serve import https
from folkmoot.serve.archive import remote_store
from folkmoot.serve.children import RETIRE, WEB
from folkmoot.serve.garbage import Sparing
from folkmoot.serve.network import ice_servers, ice_servers_for
from folkmoot.serve.places import Places
from folkmoot.serve.ports import shares
from folkmoot.serve.retiring import LastAnswers, RetiringServer
from folkmoot.serve.room import MachineRoom
from folkmoot.serve.stages import StagePool
from folkmoot.serve.supervisor import say_ready
from folkmoot.serve.watching import Watching
from folkmoot.settings import Settings, audience_workers, udp_ports
from folkmoot.spaces.actions import SPACE_CHANGED
from folkmoot.spaces.admission import Limits
from folkmoot.storage import events
from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.keys import load_or_create_key
from folkmoot.storage.objects import ObjectStore
from folkmoot.surfaces.addresses import Addressed, ClientAddresses
from folkmoot.surfaces.counting import Counted
from folkmoot.surfaces.heads import Heads
from folkmoot.surfaces.mastodon.streams.broadcast import Broadcast
from folkmoot.surfaces.mastodon.streams.sockets import MESSAGE_BYTES_MAX, Sockets
from folkmoot.surfaces.networks import Networks
from folkmoot.surfaces.pages import source
from folkmoot.surfaces.patience import Patience
from folkmoot.surfaces.services import Services, Site
from folkmoot.surfaces.spaces.hub import Hub
from folkmoot.surfaces.spaces.listen import Admitter

SLOTS = (0, 2)  # in turn: at a reload the old process and the new one make ids at the same time
STOP_WITHIN_S = 3
KEEP_ALIVE_S = (
    75  # longer than clients and proxies keep an idle connection (nginx: 60 s), or one closes as they ask
)
STREAMS_GO_WITHIN_S = 5.0
PING_EVERY_S = 30.0
TAKEN_OVER_WITHIN_S = 5.0
LOOK_EVERY_S = 0.5
WATCH_CONNECTIONS_MAX = 2  # one follows, one sweeps
UPLOADS_AT_ONCE_MAX = 2  # pictures whose senders wait; the others become jobs


class Listeners:
    """`surfaces.services.Listening`: the audience workers' listeners, those of the stages themselves, and HLS."""

    def __init__(
        self, handoff: Handoff, stages: StagePool, estimate: HlsEstimate, listeners_max: int | None
    ) -> None:
        self.counts = stages.counts
        self.estimated = stages.estimated
        self.reports = handoff.reports
        self._estimate = estimate
        self._listeners_max = listeners_max

    def room(self) -> int:
        room = sum(report.listeners_max for report in self.reports())
        return room if self._listeners_max is None else min(room, self._listeners_max)

    def by_hls(self, space_id: int, every_s: float) -> None:
        self._estimate.playlist(space_id, every_s, time.monotonic())


class WebProcess:
    """One per server."""

    def __init__(self, settings: Settings, places: Places, base_url: str, generation: int = 0) -> None:
        self._places = places
        self._certificate = https.certificate(settings)
        self._doorbell = Doorbell(places.doorbells)
        self._database = Database(places.database_url, slot=SLOTS[generation % 2], ring=self._doorbell.ring)
        # Requests that take every connection keep no right from ending.
        self._watched = Database(places.database_url, connections_max=WATCH_CONNECTIONS_MAX)
        self._handoff = Handoff([places.audience_socket(n) for n in range(audience_workers(settings))])
        self._hub = Hub()
        self._room = MachineRoom(_limits(settings))
        self._ceiling = Ceiling(settings.listeners_max)
        self._estimate = HlsEstimate()
        self._stages = StagePool(places, self._handoff.counts, self._estimated, self._hub.followed, self._hub.tell)
        self._addresses = ClientAddresses(settings.trusted_proxies)
        leases = LeaseBook()
        objects = remote_store(settings.media) or ObjectStore.open(settings.media or str(places.media))
        self._services = Services(
            site=Site(
                base_url,
                settings.title,
                settings.registrations,
                settings.source_url or base_url + source.PATH,
                __version__,
                settings.invites,
                settings.contact,
                settings.moderators_second_factor,
                Sender(load_or_create_key(places.keys, WEB_PUSH), base_url).public_key,
            ),
            database=self._database,
            gate=Gate(self._database),
            register=Register(),
            objects=objects,
            remote_media=Cache(places.remote_media, settings.remote_media_mb * 1_000_000, self._database.clock_ms),
            depot=Depot(objects, Workshop(places.work, UPLOADS_AT_ONCE_MAX)),
            stages=self._stages,
            listening=Listeners(self._handoff, self._stages, self._estimate, settings.listeners_max),
            leases=leases,
            networks=Networks(self._database, leases, settings.contact),
            marks=Marks(load_or_create_key(places.keys, marks.KEY)),
            hub=self._hub,
            tapes_directory=places.tapes,
            live_tapes=LiveTapes(),
            ticket_key=load_or_create_key(places.keys, "listen-tickets"),
            seal=Seal(load_or_create_key(places.keys, codes.KEY)),
            clock_ms=self._database.clock_ms,
            ice_servers=partial(ice_servers_for, ice_servers(settings)),
            outbox=Outbox(bool(settings.smtp_host)),
            why_no_room=self._room.why_not,
            processes=self._room.processes,
        )

        self._watching = Watching(self._services, places, settings.metrics_port)

    async def run(self, listening: socket.socket) -> None:
        """Serve until SIGTERM, which uvicorn handles: open requests get a moment to finish."""
        door = Door(
            Admitter(self._services),
            self._handoff,
            ceiling=self._ceiling,
            estimate=self._estimate,
            client_address=self._addresses,
            connections_max=_connections_max(),
        )
        app = Counted(Addressed(Heads(self._with_sockets(self.build())), self._addresses), self._services.requests)
        answers = LastAnswers(Patience(app))
        config = uvicorn.Config(
            answers,
            http=https.protocol(self._certificate, door, self._services.site.base_url),
            ws=SocketProtocol,
            ws_max_size=MESSAGE_BYTES_MAX,
            ws_per_message_deflate=False,  # tens of KB a connection
            ws_ping_interval=PING_EVERY_S,
            ws_ping_timeout=PING_EVERY_S,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=STOP_WITHIN_S,
        )
        server = RetiringServer(config, answers, lambda: say_ready(self._places.run, WEB))
        self._handoff.start()
        Sparing().start()
        # If what runs beside it fails, the server ends too: it is restarted whole, rather than left without.
        async with self._doorbell.listening(self._places.database_url), asyncio.TaskGroup() as group:
            # The next process tells the stages, too, and two would tell them different numbers.
            counting = group.create_task(self._stages.keep_counts())
            beside = [
                counting,
                group.create_task(RevocationWatch(self._services.leases, self._watched, self._doorbell).run()),
                group.create_task(self._follower().run()),
                group.create_task(self._broadcasting().run()),
                group.create_task(self._room.run()),
                group.create_task(self._keep_looking()),
                group.create_task(self._services.used.keep_writing(self._services.gate)),
                group.create_task(self._services.visits.keep_writing(self._services.gate)),
                group.create_task(self._watching.run()),
                group.create_task(https.keep_fresh(self._certificate)),
            ]
            asyncio.get_running_loop().add_signal_handler(RETIRE, self._retire, server, counting)
            await self._handoff.taken_over(TAKEN_OVER_WITHIN_S)
            await server.serve(sockets=wider(listening))
            for task in beside:
                task.cancel()
        await self._stages.close()
        await self._watched.close()
        await self._database.close()

    def build(self) -> Litestar:
        """The application. Raises what is wrong with it."""
        return build_app(self._services)

    def _retire(self, server: RetiringServer, counting: asyncio.Task[None]) -> None:
        counting.cancel()
        self._hub.send_away(STREAMS_GO_WITHIN_S)
        self._services.streams.send_away(STREAMS_GO_WITHIN_S)
        server.retire()

    def _estimated(self) -> dict[int, int]:
        return self._estimate.counts(time.monotonic())

    async def _keep_looking(self) -> None:
        """Until cancelled: whether another listener can be carried."""
        while True:
            self._ceiling.look(self._handoff.reports(), self._room.free_memory_mb(), time.monotonic())
            await asyncio.sleep(LOOK_EVERY_S)

    def _follower(self) -> events.Follower:
        async def reload() -> None:
            """What is wrong by a missed event: streams ask the gate themselves."""
            self._services.visits.missed()
            await self._services.site.emojis.read_anew(self._database)

        return events.Follower(
            self._database, "web", self._on_event, doorbell=self._doorbell, start="now", reload=reload
        )

    def _with_sockets(self, app: Litestar) -> Sockets:
        equipment = app.state.equipment
        return Sockets(cast(ASGIApp, app), lambda: equipment.services, lambda: equipment.limits)

    def _broadcasting(self) -> events.Follower:
        broadcast = Broadcast(self._services, self._services.streams)
        return events.Follower(
            self._database,
            "streams",
            broadcast.on_event,
            doorbell=self._doorbell,
            start="now",
            reload=broadcast.missed,
        )

    async def _on_event(self, event: events.Event) -> None:
        if event.kind == EMOJIS_CHANGED:
            await self._services.site.emojis.read_anew(self._database)
        if event.kind == SPACE_CHANGED:
            space_id = int(event.payload["space"])
            self._hub.tell(space_id, "changed")
            changes = {change["change"] for change in event.payload["changes"]}
            if "removed" in changes:
                self._services.visits.removed(space_id)
            if "ended" in changes:
                await self._stages.ended(space_id)


def _limits(settings: Settings) -> Limits:
    ports = udp_ports(settings)
    return Limits(settings.live_spaces_max, None if ports is None else len(shares(ports)))


def _connections_max() -> int:
    """Beside tapes, uploads and the database, which need a fifth of the files that this process may open."""
    files_max, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(CONNECTIONS_MAX, files_max * 4 // 5)


def rehearse(settings: Settings, places: Places, base_url: str) -> None:
    """Everything that a start does before it serves. Raises what would stop it."""
    WebProcess(settings, places, base_url).build()


def main(settings: Settings, places: Places, base_url: str, listening: socket.socket, generation: int) -> None:
    """Run until SIGTERM, or until the next generation's process has taken this one's place."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(WebProcess(settings, places, base_url, generation).run(listening))
