"""Nothing phones home: the switches of the packages that would, set before they are imported.

They hold for `tingshuo pull` as well: it reaches the Hugging Face Hub by `models/hub.py` alone, not by these packages.
"""

import os

QUIET = {
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "ORT_DISABLE_TELEMETRY": "1",
}


def stay_local() -> None:
    """Turns telemetry, tracing and downloads off for this process, whatever the shell says for other programs."""
    os.environ.update(QUIET)
