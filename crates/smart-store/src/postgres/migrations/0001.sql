-- Which data key seals; the names of records; which keys a key management service has wrapped.
CREATE TABLE smart_store_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    current_key bytea,
    names_id bytea,
    wrapped_keys bytea
);
INSERT INTO smart_store_state DEFAULT VALUES;

-- The sealed key of the names, twice: without it no record is found.
CREATE TABLE smart_store_names (
    copy smallint PRIMARY KEY,
    sealed bytea NOT NULL
);

CREATE TABLE smart_store_records (
    name bytea PRIMARY KEY,
    issuer bytea NOT NULL,
    owner bytea NOT NULL,
    head bytea NOT NULL,
    body bytea NOT NULL
);
-- Sealed octets do not compress.
ALTER TABLE smart_store_records ALTER COLUMN head SET STORAGE EXTERNAL, ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX smart_store_records_by_issuer ON smart_store_records (issuer, name);
CREATE INDEX smart_store_records_by_owner ON smart_store_records (owner, issuer, name);

CREATE TABLE smart_store_leases (
    name bytea PRIMARY KEY,
    holder bytea NOT NULL,
    granted timestamptz NOT NULL,
    until timestamptz NOT NULL
);
CREATE INDEX smart_store_leases_by_end ON smart_store_leases (until);

-- Damaged records that were replaced, the last one of each name.
CREATE TABLE smart_store_quarantine (
    name bytea PRIMARY KEY,
    sealed bytea NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);
