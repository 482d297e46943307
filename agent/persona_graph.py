"""A persona's graph: its model, prompt and tools as LangGraph runs them; it holds no conversation."""

from typing import Any, Final

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import BaseTool
from langgraph.graph.state import CompiledStateGraph

from agent.checkpoints import PruningSaver
from agent.preparation import Preparation
from agent.prompt import few_shot, system_prompt
from agent.token_budget import TokenBudget, size_of_messages, size_of_tools
from agent.turn_context import TurnContext
from configs.persona import Persona
from models.registry import Served
from tools.knowledge_search import knowledge_search
from tools.memory_tools import MEMORY_TOOLS

OPENING: Final = HumanMessage("Hello.")
"""Stands for the first question when the model is warmed: some templates want one."""


class PersonaGraph:
    """What every turn of a persona runs through; the beginning of its prompts never changes."""

    def __init__(self, persona: Persona, chat: BaseChatModel, checkpoints: PruningSaver, *, remembers: bool) -> None:
        """`remembers`: whether it has a memory, and the tools for it."""
        self._chat = chat
        self.tools = tools_of(persona, remembers=remembers)
        self.examples = few_shot(persona)
        self.system = system_prompt(persona, remembers=remembers)
        self.budget = TokenBudget(chat.context, chat.reply) if isinstance(chat, Served) else None
        self._prefix = [SystemMessage(self.system), *self.examples]
        self._prefix_size = size_of_messages(self._prefix) + size_of_tools(self.tools)
        self.graph: CompiledStateGraph[Any, TurnContext, Any, Any] = create_agent(
            chat,
            tools=self.tools,
            system_prompt=self.system,
            middleware=[Preparation(self.examples, self.budget, self._prefix_size)],
            checkpointer=checkpoints,
            context_schema=TurnContext,
        )

    async def warm(self) -> None:
        """Loads the model with the beginning of every prompt, where a server runs it. Raises EngineError."""
        if isinstance(self._chat, Served) and self.budget:
            counted = await self._chat.preload([*self._prefix, OPENING], self.tools)
            self.budget.context = self._chat.context
            self.budget.learn(self._prefix_size + size_of_messages([OPENING]), counted)


def tools_of(persona: Persona, *, remembers: bool) -> list[BaseTool]:
    """The tools that a persona names, in its order; those of the memory only where it has one."""
    known = {"knowledge_search": knowledge_search, **(MEMORY_TOOLS if remembers else {})}
    return [known[name] for name in persona.tools if name in known]
