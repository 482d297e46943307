"""The reference of this API: the OpenAPI document for programs, and a page of it for people; made once, in a thread."""

from functools import cache

from anyio.to_thread import run_sync
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, Response

from api.native.reference_page import CSP, page
from api.openapi import DocumentedApp


class ReferenceRoutes:
    """The two routes, over the application that they tell of."""

    def __init__(self, app: DocumentedApp) -> None:
        self._app = app
        self._page = cache(lambda: page(app.openapi()))
        self.router = APIRouter(include_in_schema=False)
        self.router.get("/openapi.json")(self.document)
        self.router.get("/docs")(self.read)

    async def document(self) -> Response:
        """The document."""
        return JSONResponse(await run_sync(self._app.openapi))

    async def read(self) -> Response:
        """The page."""
        return HTMLResponse(await run_sync(self._page), headers={"content-security-policy": CSP})
