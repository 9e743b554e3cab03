"""What all addresses of the API share."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.cache import patch_vary_headers
from rest_framework.request import Request
from rest_framework.views import APIView

from studio.api.queries import read_query
from studio.api.shapes import NoQuery, Shape

__all__ = ["ApiView"]


class ApiView(APIView):
    """An address: it refuses parameters that it does not name, and nobody else may keep its answers.

    ``queries`` says per method which parameters there are; a method that it leaves out takes none.
    """

    http_method_names = ["get", "head", "post", "put"]
    queries: ClassVar[Mapping[str, type[Shape]]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """The caller is known and within limits, and the query is as the address says; raises ``InvalidQuery``."""
        super().initial(request, *args, **kwargs)
        method = "GET" if request.method == "HEAD" else str(request.method)
        read_query(request, self.queries.get(method, NoQuery))

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """The answer, for this caller alone and to be asked for again, unless the view says otherwise."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "private, no-cache")
        patch_vary_headers(answer, ["Authorization"])
        return answer
