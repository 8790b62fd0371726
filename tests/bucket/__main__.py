"""`python -m tests.bucket`: serve S3 on a free port of this machine, and say where."""

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


def main() -> None:
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    print(f"BUCKET READY http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201 - what the tests wait for
    server.serve_forever()


if __name__ == "__main__":
    main()
