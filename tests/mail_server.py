"""A little SMTP server on loopback that keeps what it is given."""

import contextlib
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """Where the server is, what it took, and whom it refuses."""

    port: int = 0
    messages: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    heard: list[tuple[str, bool]] = field(default_factory=list)  # and whether under TLS
    refused: str = "refused@"


@contextlib.contextmanager
def served(
    tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None
) -> Iterator[Mailbox]:
    """Serve SMTP, under TLS from the first byte or by STARTTLS where a context is given."""
    box = Mailbox()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                _talk(self, box, starttls)
            self.request.close()  # by STARTTLS it is another than the server knows

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing of connections that break off."""

    with Server(("127.0.0.1", 0), Talk) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield box
        server.shutdown()
        thread.join()


def _talk(
    talk: socketserver.StreamRequestHandler, box: Mailbox, starttls: ssl.SSLContext | None
) -> None:
    def say(text: str) -> None:
        talk.wfile.write(f"{text}\r\n".encode())

    say("220 here")
    is_secret = False
    while line := talk.rfile.readline():
        word = line.decode().strip()
        box.heard.append((word, is_secret))
        if word.upper().startswith("RCPT"):
            refused = box.refused in word
            say("550 nobody of that name" if refused else "250 good")
            if not refused:
                box.recipients.append(word[5:])
        elif word.upper().startswith("EHLO"):
            offered = starttls is not None and not is_secret
            say("250-here\r\n250 STARTTLS" if offered else "250 here")
        elif word.upper() == "STARTTLS" and starttls is not None:
            say("220 go on")
            talk.request = starttls.wrap_socket(talk.request, server_side=True)
            talk.setup()
            is_secret = True
        elif word.upper() == "DATA":
            say("354 go on")
            lines = iter(talk.rfile.readline, b".\r\n")
            box.messages.append(b"".join(lines).decode())
            say("250 taken")
        elif word.upper() == "QUIT":
            say("221 bye")
            return
        else:
            say("250 good")
