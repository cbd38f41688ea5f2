//! Pictures of clients: decoded within bounds, fetched under rules, drawn on, encoded.
