"""`python -m connector.simulator`: runs the simulator until SIGTERM or SIGINT."""

import json
import signal
import sys
import threading
from types import FrameType

from connector.simulator.accounts import CONNECTOR, IDENTITY
from connector.simulator.clock import Clock
from connector.simulator.cloud import Cloud
from connector.simulator.dialects import DIALECTS
from connector.simulator.faults import Faults
from connector.simulator.files import Cabinet
from connector.simulator.notify import Notifier
from connector.simulator.options import Options, parse
from connector.simulator.orders import live_on
from connector.simulator.server import Server
from connector.simulator.state import USERS, World


def assemble(options: Options) -> Cloud:
    """The cloud's parts, as yet without a socket or a thread."""
    world = World(options.state)
    dialect = DIALECTS[options.dialect]
    return Cloud(
        options=options,
        dialect=dialect,
        world=world,
        clock=Clock(world),
        cabinet=Cabinet(options.cases),
        notifier=Notifier(world, dialect),
        faults=Faults(),
        stopping=threading.Event(),
    )


def announcement(cloud: Cloud, port: int) -> str:
    """The one line that tells how to reach it."""
    url = f"http://{cloud.options.host}:{port}"
    facts = {
        "url": url,
        "login_page": url + cloud.dialect.login_page,
        "oauth_base": url + IDENTITY,
        "base_url": url + CONNECTOR,
        "client_id": cloud.options.client_id,
        "client_secret": cloud.options.client_secret,
        "users": [
            {"username": user.username, "password": user.password, "accounts": list(user.accounts)} for user in USERS
        ],
    }
    return f"SIMULATOR READY {json.dumps(facts)}"


def main() -> int:
    """Serves until told to stop; every thread has ended when it returns."""
    cloud = assemble(parse())
    server = Server(cloud)

    def stop(number: int, frame: FrameType | None) -> None:
        cloud.stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threads = [
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="server"),
        threading.Thread(target=live_on, args=(cloud,), name="life"),
    ]
    for thread in threads:
        thread.start()
    cloud.notifier.start()
    sys.stdout.write(announcement(cloud, server.server_port) + "\n")
    sys.stdout.flush()
    cloud.stopping.wait()
    server.shutdown()
    server.stop()
    cloud.notifier.stop()
    for thread in threads:
        thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
