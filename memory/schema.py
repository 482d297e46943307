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
    """
    -- A turn's tool calls as JSON; what its reply rests on; in whose memory it is kept: NULL in none, '' in the one
    -- that the user's personas share, else in that persona's own.
    ALTER TABLE turns ADD COLUMN tools TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE turns ADD COLUMN rests_on TEXT NOT NULL DEFAULT 'documents'
        CHECK (rests_on IN ('model', 'documents', 'memory', 'nothing'));
    ALTER TABLE turns ADD COLUMN memory TEXT;
    -- The memories that its reply may repeat, as JSON: their ids.
    ALTER TABLE turns ADD COLUMN recalled TEXT NOT NULL DEFAULT '[]';

    -- From 1; NULL where a document has no pages.
    ALTER TABLE passages ADD COLUMN page INTEGER;

    -- What one user is remembered by: '' for all personas that share, else one persona's own. `last_turn` is the last
    -- of turns.number that has been looked at, `distilled` the last that facts were drawn from.
    CREATE TABLE memory_spaces (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user TEXT NOT NULL,
        persona TEXT NOT NULL,
        last_turn INTEGER NOT NULL DEFAULT 0,
        distilled INTEGER NOT NULL DEFAULT 0,
        UNIQUE (user, persona)
    );
    -- Of a turn, `text` is what the user told in it, which stands in `turns` too; a fact or note has the user's words
    -- that it rests on as its `quote`.
    -- `embedded`: the collection that holds its vector. A memory that is forgotten has lost its words at once; its row
    -- stays until its vector is gone. `closed_at`: until when a fact held.
    CREATE TABLE memories (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        space INTEGER NOT NULL REFERENCES memory_spaces (id) ON DELETE CASCADE,
        kind TEXT NOT NULL CHECK (kind IN ('turn', 'fact', 'note')),
        state TEXT NOT NULL DEFAULT 'kept' CHECK (state IN ('kept', 'forgotten')),
        text TEXT NOT NULL,
        reply TEXT NOT NULL DEFAULT '',
        quote TEXT NOT NULL DEFAULT '',
        turn TEXT,
        subject TEXT NOT NULL DEFAULT '',
        importance INTEGER NOT NULL DEFAULT 3 CHECK (importance BETWEEN 1 AND 5),
        language TEXT NOT NULL,
        said_at TEXT NOT NULL,
        closed_at TEXT,
        closed_by INTEGER REFERENCES memories (id) ON DELETE SET NULL,
        embedded INTEGER
    );
    CREATE INDEX memories_of_space ON memories (space, state, kind);
    CREATE INDEX memories_of_turn ON memories (turn);
    CREATE INDEX memories_by_time ON memories (space, said_at);
    CREATE INDEX memories_closed_by ON memories (closed_by) WHERE closed_by IS NOT NULL;
    CREATE INDEX memories_not_embedded ON memories (space) WHERE embedded IS NULL;
    -- What the model no longer sees of a conversation, in short; `upto` is the last of turns.number that is in it. It
    -- may hold any turn's words, so it goes when one goes.
    CREATE TABLE summaries (conversation TEXT PRIMARY KEY, text TEXT NOT NULL, upto INTEGER NOT NULL);
    CREATE TRIGGER summary_goes AFTER DELETE ON turns
        BEGIN DELETE FROM summaries WHERE conversation = OLD.conversation; END;
    -- Turns whose words must still be taken out of the agent's checkpoints.
    CREATE TABLE forgotten_turns (conversation TEXT NOT NULL, turn TEXT NOT NULL, PRIMARY KEY (conversation, turn));

    -- A collection belongs to a knowledge base or to a memory space; its number is never used again.
    CREATE TABLE collections_of_both (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        knowledge_base INTEGER REFERENCES knowledge_bases (id),
        memory_space INTEGER REFERENCES memory_spaces (id),
        state TEXT NOT NULL CHECK (state IN ('pending', 'ready', 'retired')),
        embedding_model TEXT,
        CHECK ((knowledge_base IS NULL) != (memory_space IS NULL))
    );
    INSERT INTO collections_of_both (id, knowledge_base, state, embedding_model)
        SELECT id, knowledge_base, state, embedding_model FROM collections;
    DELETE FROM sqlite_sequence WHERE name = 'collections_of_both';
    INSERT INTO sqlite_sequence (name, seq)
        SELECT 'collections_of_both', seq FROM sqlite_sequence WHERE name = 'collections';
    DROP TABLE collections;
    ALTER TABLE collections_of_both RENAME TO collections;
    CREATE UNIQUE INDEX ready_collection ON collections (knowledge_base)
        WHERE state = 'ready' AND knowledge_base IS NOT NULL;
    CREATE UNIQUE INDEX ready_memory_collection ON collections (memory_space)
        WHERE state = 'ready' AND memory_space IS NOT NULL;

    -- What this ledger is called on a vector server that others use as well; one row.
    CREATE TABLE identity (id TEXT NOT NULL);
    INSERT INTO identity (id) VALUES (lower(hex(randomblob(8))));

    -- Ingestions that go on in the background, and after a restart; `paths` is JSON. `watch`: it begins anew whenever
    -- something in the paths has changed.
    CREATE TABLE jobs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        knowledge TEXT NOT NULL,
        paths TEXT NOT NULL,
        watch INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
        files INTEGER NOT NULL DEFAULT 0,
        done INTEGER NOT NULL DEFAULT 0,
        outcomes TEXT NOT NULL DEFAULT '{}',
        errors TEXT NOT NULL DEFAULT '[]',
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    );
    """,
    """
    -- What a file is called in the folder of uploads; NULL for a document that is read where it lies.
    ALTER TABLE documents ADD COLUMN upload TEXT;
    -- An ingestion of one upload: what it is called in that folder, and what its sender calls it.
    ALTER TABLE jobs ADD COLUMN upload TEXT;
    ALTER TABLE jobs ADD COLUMN name TEXT;
    """,
)
