"""One reply in a given shape: JSON that the server holds to a schema; streams nothing and decides nothing."""

from collections.abc import Sequence
from typing import TypeVar

from langchain_core.messages import BaseMessage
from pydantic import BaseModel, ValidationError

from configs.errors import EngineFailed
from models.engines.ollama import OllamaChat

Shape = TypeVar("Shape", bound=BaseModel)


async def structured(chat: OllamaChat, schema: type[Shape], messages: Sequence[BaseMessage]) -> Shape:
    """The model's reply as an instance of `schema`; without thought and at temperature 0, so that it can be repeated.

    Raises EngineFailed for a reply that does not fit or did not end by its limit, and as a reply does.
    """
    # The other options stay as they are: one that differs might make Ollama load the model again.
    bound = chat.bind(format=schema.model_json_schema(), options={"temperature": 0}, reasoning=False)
    reply = await bound.ainvoke(list(messages))
    try:
        return schema.model_validate_json(reply.text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole reply"
        failure, hint = (
            f"{where}: {first['msg']}",
            "Name a larger model, or one that keeps to schemas, such as qwen3:8b.",
        )
        if reply.response_metadata.get("done_reason") == "length":
            failure = f"its limit of {chat.reply} tokens came first"
            hint = "Set a larger chat.ollama.num_predict, or a larger PARAMETER num_predict in the persona's Modelfile."
        raise EngineFailed(f"{chat.model!r} gave no {schema.__name__}: {failure}", hint) from error
