//! Every bound of the server, in one place.
//!
//! What operators may change has a default here and a place in the configuration; the rest protects the process from clients,
//! plugins and files, and is fixed. Times are in milliseconds, sizes in bytes. The engine has bounds of its own.

// ---- Connections and requests -------------------------------------------------------------------------------------------------

/// Connections open at once; a further one is closed at once. An idle one costs some 20 KiB, so these cost 400 MiB at most.
pub const CONNECTIONS_MAX: usize = 20_000;

/// Bytes of a request's head. Larger than any client's cookies and keys; hyper alone would allow 408 KiB.
pub const HEADER_BYTES_MAX: usize = 32 << 10;

/// Headers of a request.
pub const HEADERS_MAX: usize = 100;

/// Bytes of a request's path and query; also of a path pattern in a manifest.
pub const URL_BYTES_MAX: usize = 8 << 10;

/// Segments of a path; deeper ones are not matched.
pub const PATH_SEGMENTS_MAX: usize = 16;

/// Time for a whole head to arrive, counted from the end of the request before it: a client that drips bytes loses its connection,
/// and one that stays idle as well.
pub const HEADER_MS: u64 = 30_000;

/// Longest silence in the middle of a request's body.
pub const BODY_IDLE_MS: u64 = 30_000;

/// Time before [`BODY_BYTES_PER_S_MIN`] counts: slow starts are common on mobile networks.
pub const BODY_GRACE_MS: u64 = 10_000;

/// Slowest body, on average after its time of grace.
pub const BODY_BYTES_PER_S_MIN: u64 = 256;

/// Requests at once on one HTTP/2 connection; what Envoy advises.
pub const H2_STREAMS_MAX: u32 = 100;

/// Bytes in flight on one HTTP/2 stream.
pub const H2_STREAM_WINDOW_BYTES: u32 = 64 << 10;

/// Bytes in flight on one HTTP/2 connection.
pub const H2_CONNECTION_WINDOW_BYTES: u32 = 1 << 20;

/// Streams a client may reset before they were served; more is an attack (CVE-2023-44487) and ends the connection.
pub const H2_RESETS_MAX: usize = 100;

/// Headers of one HTTP/2 request, in bytes after decompression.
pub const H2_HEADER_LIST_BYTES_MAX: u32 = 32 << 10;

/// Bytes of a response that wait in one HTTP/2 stream.
pub const H2_SEND_BYTES_MAX: usize = 256 << 10;

/// Time between pings on an HTTP/2 connection.
pub const H2_PING_MS: u64 = 20_000;

/// Time for the answer to a ping, after which the peer counts as gone.
pub const H2_PONG_MS: u64 = 20_000;

/// Largest request body held in memory.
/// Fits one 24 MiB image as base64; anything larger is refused with 413.
pub const BODY_BYTES_MAX: usize = 32 << 20;

/// Body of a route that states no bound of its own: a conversation of 2 MiB is longer than any context here.
pub const BODY_BYTES_DEFAULT: usize = 2 << 20;

/// Longest life of one request, from its head to the end of its answer. Long answers on slow machines take minutes.
pub const REQUEST_MS: u64 = 600_000;

/// Largest message over a websocket: a picture as base64 in a form that clients of such APIs send.
pub const WEBSOCKET_MESSAGE_BYTES_MAX: usize = 8 << 20;

/// Messages of a client that wait for the guest besides the one in hand; further ones stay in the socket.
pub const WEBSOCKET_MESSAGES_IN_MAX: usize = 1;

/// Messages of a guest that wait for a slow client; then the guest waits.
pub const WEBSOCKET_MESSAGES_OUT_MAX: usize = 8;

/// Time between pings on a websocket.
pub const WEBSOCKET_PING_MS: u64 = 20_000;

/// Longest silence of a client that does not even answer pings.
pub const WEBSOCKET_SILENCE_MS: u64 = 60_000;

/// Wait for the client's goodbye after the server's own.
pub const WEBSOCKET_GOODBYE_MS: u64 = 2_000;

/// Longest single wait that a guest can ask for: to sleep, for a message, between repeated bytes.
pub const GUEST_WAIT_MS_MAX: u32 = 60_000;

/// Shortest time between bytes that are repeated without a guest.
pub const REPEAT_INTERVAL_MS_MIN: u32 = 1_000;

/// Bytes that are repeated without a guest.
pub const REPEAT_BYTES_MAX: usize = 1_024;

/// Pieces of a streamed response that wait for a slow reader; then the guest's `write` waits.
pub const RESPONSE_CHUNKS_MAX: usize = 64;

/// Largest such piece; a longer one is split. Together with [`RESPONSE_CHUNKS_MAX`]: 1 MiB a response.
pub const RESPONSE_CHUNK_BYTES_MAX: usize = 16 << 10;

/// Headers of a response.
pub const RESPONSE_HEADERS_MAX: usize = 64;

/// Bytes of one response header's value.
pub const RESPONSE_HEADER_BYTES_MAX: usize = 8 << 10;

/// Longest time a client may read nothing of its response; then its connection is closed.
pub const WRITE_STALL_MS: u64 = 30_000;

/// Time for requests in flight when the server stops. Configurable as `drain_s`.
pub const DRAIN_MS: u64 = 30_000;

/// Longest `drain_s` of the configuration.
pub const DRAIN_MS_MAX: u64 = 3_600_000;

/// API keys of the configuration. Each costs one comparison per request.
pub const API_KEYS_MAX: usize = 1_024;

/// Origins of web pages in the configuration. Each costs one comparison per request of a page.
pub const CORS_ORIGINS_MAX: usize = 64;

/// Bytes of the list of headers that a page asks to send; clients' own are some 300.
pub const CORS_REQUEST_HEADERS_BYTES_MAX: usize = 1_024;

/// Time for which a browser may remember what a page may do, in seconds: a change of the configuration shows after it.
pub const CORS_MAX_AGE_S: u32 = 600;

// ---- Guests -------------------------------------------------------------------------------------------------------------------

/// Guests that run at once. Each reserves address space and one fiber stack; a further request waits.
pub const GUESTS_MAX: u32 = 256;

/// Template guests that run at once, apart from [`GUESTS_MAX`]: a dialect that waits for a template cannot take its place.
pub const TEMPLATES_MAX: u32 = 64;

/// Longest wait for a free guest; then the request is refused with 503.
pub const INSTANCE_WAIT_MS: u64 = 10_000;

/// Largest linear memory of a guest, unless the configuration says otherwise. A dialect needs some 2 MiB, its body included.
pub const GUEST_MEMORY_BYTES_MAX: usize = 64 << 20;

/// Largest linear memory that the configuration can give: the instance pool is laid out for it.
pub const GUEST_MEMORY_BYTES_CEILING: usize = 512 << 20;

/// Stack of a guest's own frames.
pub const GUEST_STACK_BYTES: usize = 512 << 10;

/// Fiber on which a guest runs: its own frames and those of the host functions it calls.
pub const GUEST_ASYNC_STACK_BYTES: usize = 2 << 20;

/// Elements of a guest's table of functions; Rust programs have some hundreds.
pub const GUEST_TABLE_ELEMENTS: usize = 20_000;

/// Core modules in one component: the program, its adapter and their shims.
pub const CORE_INSTANCES_PER_GUEST: u32 = 16;

/// Tables in one component.
pub const TABLES_PER_GUEST: u32 = 16;

/// Time between ticks of the epoch, at which a guest is interrupted and lets others run.
pub const EPOCH_TICK_MS: u64 = 10;

/// Processor time of one guest, counted in ticks. Parsing 32 MiB of JSON takes a third of it.
pub const GUEST_CPU_MS: u64 = 1_000;

/// Bytes of a guest's memory that stay mapped for the next guest of the same slot, after every one written was made as it was.
/// Most requests write less.
pub const GUEST_MEMORY_BYTES_KEPT: usize = 256 << 10;

/// The same for a guest's tables.
pub const TABLE_BYTES_KEPT: usize = 64 << 10;

/// Ticks that a guest may use before it takes turns with other busy ones; nearly every request needs less than one.
pub const GUEST_CPU_TICKS_FREE: u64 = 2;

/// Bytes that one call between guest and host may make the host allocate: a picture can be as large as the body it came in.
/// wasmtime alone would allow 128 MiB.
pub const HOSTCALL_BYTES_MAX: usize = BODY_BYTES_MAX;

/// Handles that a guest holds at once. wasmtime alone would allow a million.
pub const GUEST_HANDLES_MAX: usize = 1_024;

/// Calls of one guest into the host. Two for each token of the longest answer, and as many again.
pub const HOST_CALLS_MAX: u32 = 262_144;

/// Time of one call of a prompt template.
pub const TEMPLATE_MS: u64 = 2_000;
/// Formats whose marks are remembered. Requests may bring templates of their own, so the number is theirs to raise.
pub const MARKS_KNOWN_MAX: usize = 256;
/// Tools that a request may offer.
pub const TOOLS_MAX: usize = 128;
/// Calls in one answer.
pub const CALLS_MAX: u32 = 16;
/// Jinja template that a request brings, in bytes. The largest published chat templates have some 20 KiB.
pub const TEMPLATE_SOURCE_BYTES_MAX: usize = 64 << 10;

/// Pieces that `generation.next` returns at once.
pub const PIECES_MAX: usize = 256;

/// Tokens that all generations of one request may take together: prompts times choices times tokens. As many as 16 choices of
/// 4,096 tokens; one choice alone may fill its model's context besides.
pub const WORK_TOKENS_MAX: u64 = 65_536;

/// Bytes of the label by which a generation can be cancelled.
pub const TAG_BYTES_MAX: usize = 128;

/// Bytes of one constraint on answers, as a plugin states it.
pub const CONSTRAINT_BYTES_MAX: usize = 64 << 10;

/// Constraints that are compiled at once; most take a few milliseconds, hostile ones some hundreds.
pub const GRAMMARS_COMPILING_MAX: usize = 2;

/// Longest wait for a turn to compile; then the request is refused with 503.
pub const GRAMMAR_WAIT_MS: u64 = 5_000;

// ---- Plugins ------------------------------------------------------------------------------------------------------------------

/// Size of a plugin's file.
pub const PLUGIN_FILE_BYTES_MAX: usize = 16 << 20;

/// Plugins in the folder; further files are not looked at.
pub const PLUGINS_MAX: usize = 256;

/// Processor time for compiling a plugin in its child process.
pub const PLUGIN_COMPILE_MS: u64 = 30_000;

/// Time for the same by the clock: the child has low priority, and a busy server must not make a good plugin look bad.
pub const PLUGIN_COMPILE_WALL_MS: u64 = 180_000;

/// Memory of the compiling child.
pub const PLUGIN_COMPILE_BYTES_MAX: u64 = 1 << 30;

/// Time for a new plugin to describe and test itself.
pub const PROBE_MS: u64 = 5_000;

/// Quiet time after a change in the plugins folder before it is read, so that half-written files are not.
pub const RELOAD_QUIET_MS: u64 = 50;

/// Routes of a dialect.
pub const ROUTES_MAX: usize = 256;

/// Prompt formats of one template plugin.
pub const FORMATS_MAX: usize = 64;

/// Size of a plugin's part of the OpenAPI document.
pub const OPENAPI_BYTES_MAX: usize = 1 << 20;

/// Lines that one plugin may log in a second; those past it are counted, not written.
pub const LOG_LINES_PER_S_MAX: u32 = 100;

/// Bytes of one such line; the rest is cut.
pub const LOG_LINE_BYTES_MAX: usize = 8 << 10;

/// Names under which one plugin may count or observe; others are ignored.
pub const METRIC_NAMES_MAX: usize = 64;

/// Bytes of such a name.
pub const METRIC_NAME_BYTES_MAX: usize = 64;

/// Settings of one plugin in the configuration, by name.
pub const SETTINGS_MAX: usize = 256;

// ---- State --------------------------------------------------------------------------------------------------------------------

/// Bytes of a state key.
pub const STATE_KEY_BYTES_MAX: usize = 512;

/// Bytes of a value.
pub const STATE_VALUE_BYTES_MAX: usize = 4 << 20;

/// Bytes of one plugin's keys and values together. 10,000 sessions of 26 KiB.
pub const STATE_BYTES_PER_PLUGIN_MAX: u64 = 256 << 20;

/// Entries of one plugin: bounds what tiny entries cost beyond their bytes.
pub const STATE_ENTRIES_PER_PLUGIN_MAX: u64 = 1_000_000;

/// Keys that one `list` returns.
pub const STATE_LIST_MAX: u32 = 1_024;

/// Dead entries that one `list` skips before it gives what it has; the sweep removes them.
pub const STATE_LIST_SCANNED_MAX: usize = 65_536;

/// Memory for the state file's pages.
pub const STATE_CACHE_BYTES: usize = 64 << 20;

/// Changes that wait for the state's writer; a further one waits for a place.
pub const STATE_WRITES_WAITING_MAX: usize = 1_024;

/// Changes made durable together: under load they share one wait for the disk.
pub const STATE_WRITES_BATCH: usize = 128;

/// Entries that one transaction of the sweep removes, so that writers wait for it only briefly.
pub const STATE_SWEEP_BATCH: usize = 1_024;

/// Time between sweeps of what has expired.
pub const STATE_SWEEP_MS: u64 = 30_000;

/// Longest life that can be asked for, ten years: keeps sums of times far from overflow.
pub const TTL_MS_MAX: u64 = 315_360_000_000;

/// Leases held at once in the whole server.
pub const LEASES_MAX: usize = 65_536;

/// Requests that wait for one lease; a further one is told it is busy.
pub const LEASE_WAITERS_MAX: usize = 256;

/// Longest wait for a lease.
pub const LEASE_WAIT_MS_MAX: u64 = 60_000;

/// Size of one blob: a body of the largest size can be kept.
pub const BLOB_BYTES_MAX: u64 = BODY_BYTES_MAX as u64;

/// Bytes of one plugin's blobs on disk.
pub const BLOB_BYTES_PER_PLUGIN_MAX: u64 = 4 << 30;

/// Bytes of one plugin's blobs where there is no disk to keep them on.
pub const BLOB_BYTES_PER_PLUGIN_IN_MEMORY_MAX: u64 = 256 << 20;

/// Blobs of one plugin.
pub const BLOBS_PER_PLUGIN_MAX: u64 = 65_536;

/// Bytes of a blob's content type.
pub const BLOB_CONTENT_TYPE_BYTES_MAX: usize = 128;

/// Bytes that one `read` of a blob returns: what fits a call into a guest.
pub const BLOB_READ_BYTES_MAX: u32 = 4 << 20;

// ---- Models -------------------------------------------------------------------------------------------------------------------

/// Models of one server, failed ones included.
pub const MODELS_MAX: usize = 1_024;

/// Bytes of a model's name or alias.
pub const MODEL_NAME_BYTES_MAX: usize = 256;

/// Characters of an unknown model's name that an error repeats.
pub const MODEL_NAME_SHOWN_CHARS: usize = 128;

/// Folders below the models folder that are searched: deep enough for `owner/model/variant`, and no endless descent.
pub const MODEL_FOLDER_DEPTH_MAX: usize = 6;

/// Entries that the search looks at in all, so that a mistaken folder such as `/` does not hold up the start.
pub const MODEL_ENTRIES_MAX: usize = 100_000;

/// Models that load at once. Loading is bound by the disk; the rest waits its turn.
pub const MODELS_LOADING_MAX: usize = 2;

/// Longest wait of a request for a model that was taken out of memory and is read again.
pub const MODEL_WAKE_MS: u64 = 120_000;

/// Longest wait of a model that is loaded for others to finish their requests and make room.
pub const MODEL_ROOM_WAIT_MS: u64 = 10_000;

/// When a client should try again whose model takes no more requests at once.
pub const REQUESTS_MAX_RETRY_MS: u64 = 1_000;

/// Swaps of plugins that are remembered.
pub const SWAPS_MAX: usize = 100;

/// Events of one model that are remembered.
pub const MODEL_EVENTS_MAX: usize = 64;

/// Replicas of one model.
pub const REPLICAS_MAX: u32 = 16;

/// Launches under way at once; a further one is refused.
pub const LAUNCHES_MAX: usize = 32;

/// When a client should try again whose launch was one too many.
pub const LAUNCH_RETRY_MS: u32 = 10_000;

/// Text up to this size is tokenized on the serving thread, where it takes less than a hop to another thread is worth.
pub const TOKENIZE_INLINE_BYTES_MAX: usize = 16 << 10;

// ---- Pictures -----------------------------------------------------------------------------------------------------------------

/// Pictures that one request holds at once, and that one call takes.
pub const PICTURES_MAX: usize = 64;

/// Bytes of decoded pixels that one request holds at once: a picture of the largest size, and room for what is drawn on it.
pub const PICTURE_BYTES_MAX: usize = 256 << 20;

/// KiB of decoded pixels that all requests together hold; a further picture waits for its share.
pub const PICTURES_KIB_MAX: u32 = 1 << 20;

/// Longest wait for such a share; then the request is refused with 503.
pub const PICTURE_WAIT_MS: u64 = 10_000;

/// Texts that one call turns into vectors of a picture's space.
pub const PICTURE_TEXTS_MAX: usize = 2_048;

// ---- Registry -----------------------------------------------------------------------------------------------------------------

/// Families besides the built-in ones: those of the operator's files and those that were registered.
pub const FAMILIES_ADDED_MAX: usize = 1_024;

/// Size of one file of families. The largest that comes with the server has 160 KiB.
pub const REGISTRY_FILE_BYTES_MAX: u64 = 1 << 20;

/// Weights of one family: sizes times formats. The most that a built-in one has is 37.
pub const FAMILY_WEIGHTS_MAX: usize = 256;

/// Quantizations of one format.
pub const FAMILY_QUANTIZATIONS_MAX: usize = 64;

/// Parts of one file; the largest published models have some 30.
pub const FAMILY_PARTS_MAX: u32 = 256;

/// Languages of a family, or abilities. There are models for a hundred languages.
pub const FAMILY_WORDS_MAX: usize = 256;

/// Bytes of a family's description.
pub const FAMILY_TEXT_BYTES_MAX: usize = 4 << 10;

/// Bytes of what whoever registered a family wants back.
pub const FAMILY_NOTES_BYTES_MAX: usize = 64 << 10;

// ---- Configuration ------------------------------------------------------------------------------------------------------------

/// Files of families in the configuration.
pub const REGISTRY_FILES_MAX: usize = 64;

/// Size of the configuration file.
pub const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// Inputs of one request for embeddings: the bound that clients of such APIs know.
pub const EMBED_INPUTS_MAX: usize = 2_048;

/// Documents of one request for relevance.
pub const RERANK_DOCUMENTS_MAX: usize = 2_048;

/// Documents that a model which continues text judges at once for one request.
pub const JUDGED_AT_ONCE_MAX: usize = 32;
// ---- Hub ----------------------------------------------------------------------------------------------------------------------

/// Longest silence of a hub in the middle of an answer; the default. Redirects to cold storage take seconds.
pub const HUB_STALL_MS: u64 = 30_000;

/// Time for a connection to a hub.
pub const HUB_CONNECT_MS: u64 = 10_000;

/// Time for the whole list of a repository's files.
pub const HUB_LISTING_MS: u64 = 120_000;

/// Attempts in a row that bring nothing, after which a file is given up.
pub const HUB_ATTEMPTS_MAX: u32 = 4;

/// Attempts for one file in all: a hub that sends a byte a connection ends some time.
pub const HUB_ATTEMPTS_IN_ALL_MAX: u32 = 1_000;

/// Wait before the second attempt; it doubles with each further one.
pub const HUB_RETRY_MS: u64 = 500;

/// Redirects of one request.
pub const HUB_REDIRECTS_MAX: usize = 10;

/// Files of one repository, also entries of one folder of the cache. The largest models have some hundreds.
pub const HUB_FILES_MAX: usize = 10_000;

/// Files that are fetched at once. More would share the same line.
pub const HUB_FILES_AT_ONCE: usize = 4;

/// Bytes of an owner's, a model's or a content's name.
pub const HUB_NAME_BYTES_MAX: usize = 128;

/// Bytes of a revision.
pub const HUB_REVISION_BYTES_MAX: usize = 255;

/// Bytes of a file's path in a repository.
pub const HUB_FILE_NAME_BYTES_MAX: usize = 512;

/// Parts of such a path.
pub const HUB_FILE_DEPTH_MAX: usize = 8;

/// Bytes that are written at once; as much is lost when the process is killed.
pub const HUB_BUFFER_BYTES: usize = 256 << 10;

/// Time between two looks at how far a download is.
pub const HUB_PROGRESS_MS: u64 = 100;

/// Longest wait for a file that another process downloads: a large one on a slow line.
pub const HUB_LOCK_MS: u64 = 6 * 3_600_000;

/// Time between two looks at whether it is done.
pub const HUB_LOCK_POLL_MS: u64 = 200;

/// Bytes of a token for a hub.
pub const HUB_TOKEN_BYTES_MAX: u64 = 4 << 10;
