"""A stand-in for whatever takes webhooks: answers 204, keeps what it got, fails on demand."""

from tests.support.fault_server import Call, Fault, FaultServer, HttpAnswer


class HookServer(FaultServer):
    """Every path is taken; calls are named "hook"."""

    accepted: list[Call]

    def _route(self, verb: str, path: str) -> str:
        return "hook"

    def _answer(self, call: Call) -> HttpAnswer:
        with self.lock:
            if not hasattr(self, "accepted"):
                self.accepted = []
            self.accepted.append(call)
        return HttpAnswer(status=204)

    def _provider_error(self, fault: Fault) -> HttpAnswer:
        status = fault.status or (429 if fault.kind == "rate_limited" else 400)
        return HttpAnswer(status=status, body=b"refused", content_type="text/plain")
