"""The ledger's tables, one script a version; a script that has been released never changes."""

from typing import Final

MIGRATIONS: Final = (
    """
    CREATE TABLE turns (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        conversation TEXT NOT NULL,
        user TEXT NOT NULL,
        persona TEXT NOT NULL,
        question TEXT NOT NULL,
        reply TEXT NOT NULL,
        heard TEXT NOT NULL,
        outcome TEXT NOT NULL CHECK (outcome IN ('completed', 'interrupted', 'failed')),
        language TEXT NOT NULL,
        citations TEXT NOT NULL,
        timings_ms TEXT NOT NULL,
        created_at TEXT NOT NULL
    );
    CREATE INDEX turns_of_conversation ON turns (conversation, created_at, number);
    CREATE INDEX turns_of_user ON turns (user, conversation);

    CREATE TABLE knowledge_bases (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE
    );
    CREATE TABLE documents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        knowledge_base INTEGER NOT NULL REFERENCES knowledge_bases (id),
        source TEXT NOT NULL,
        title TEXT NOT NULL,
        digest TEXT NOT NULL,
        characters INTEGER NOT NULL,
        passages INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'ready', 'retired')),
        added_at TEXT NOT NULL
    );
    CREATE UNIQUE INDEX ready_document ON documents (knowledge_base, source) WHERE state = 'ready';
    CREATE INDEX documents_by_state ON documents (state);

    -- AUTOINCREMENT: a vector outlives its passage for a moment, and must never be taken for another's.
    CREATE TABLE passages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        heading TEXT NOT NULL,
        text TEXT NOT NULL,
        start INTEGER NOT NULL,
        "end" INTEGER NOT NULL
    );
    CREATE INDEX passages_of_document ON passages (document);

    -- The terms of the passages of ready documents, by passages.id; `scope` names the knowledge base.
    CREATE VIRTUAL TABLE lexicon USING fts5 (scope, context, body, tokenize = 'unicode61 remove_diacritics 0');
    """,
    """
    -- `id` names the collection in the vector index; without `embedding_model`, only the index knows it.
    CREATE TABLE collections (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        knowledge_base INTEGER NOT NULL REFERENCES knowledge_bases (id),
        state TEXT NOT NULL CHECK (state IN ('pending', 'ready', 'retired')),
        embedding_model TEXT
    );
    CREATE UNIQUE INDEX ready_collection ON collections (knowledge_base) WHERE state = 'ready';
    INSERT INTO collections (id, knowledge_base, state) SELECT id, id, 'ready' FROM knowledge_bases;

    -- The version of the analysis that made the terms in the lexicon; one row.
    CREATE TABLE analysis (version INTEGER NOT NULL);
    INSERT INTO analysis (version) VALUES (1);
    """,
)
