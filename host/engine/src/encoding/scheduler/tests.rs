use std::sync::mpsc;

use tokio::sync::oneshot;

use super::*;

/// Gives a text's ids as its numbers; some ids do harm.
struct Stub {
    /// Steps as they were computed: the first id of each text.
    steps: mpsc::Sender<Vec<u32>>,
    /// A step begins when this allows it.
    go: mpsc::Receiver<()>,
}

const PANICS: u32 = 666;
const FAILS: u32 = 667;
const IS_NOT_FINITE: u32 = 668;

impl Forward for Stub {
    type Input = Text;
    type Form = ();

    fn compute(&mut self, texts: &[(&Text, ())]) -> Result<Vec<Vec<f32>>, EngineError> {
        self.go.recv_timeout(Duration::from_secs(60)).expect("the test goes on");
        self.steps.send(texts.iter().map(|(text, _)| text.ids[0]).collect()).expect("the test listens");
        let has = |id: u32| texts.iter().any(|(text, _)| text.ids.contains(&id));
        assert!(!has(PANICS), "a hostile text");
        if has(FAILS) {
            return Err(EngineError::Failed("scripted failure".to_owned()));
        }
        let value = |id: &u32| if *id == IS_NOT_FINITE { f32::NAN } else { *id as f32 };
        Ok(texts.iter().map(|(text, _)| text.ids.iter().map(value).collect()).collect())
    }
}

struct Bench {
    queue: Arc<Queue<()>>,
    go: mpsc::Sender<()>,
    steps: mpsc::Receiver<Vec<u32>>,
    thread: std::thread::JoinHandle<()>,
}

type Answer = oneshot::Receiver<Result<Vec<Output>, EngineError>>;

impl Bench {
    fn start(options: LoadOptions) -> Self {
        let queue = Arc::new(Queue::new(options.queue_requests_max));
        let ((go, wait), (report, steps)) = (mpsc::channel(), mpsc::channel());
        let scheduler = Scheduler::new(Stub { steps: report, go: wait }, Arc::clone(&queue), &options);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
        let thread = std::thread::spawn(move || pool.install(|| scheduler.run()));
        Self { queue, go, steps, thread }
    }

    /// Queues a request of texts with these ids, each repeated to `length` tokens.
    fn push(&self, ids: &[u32], length: usize) -> Result<Answer, EngineError> {
        let text = |id: &u32| Text { ids: vec![*id; length], ..Text::default() };
        let (sender, receiver) = oneshot::channel();
        self.queue.push(Job::new(ids.iter().map(text).collect(), (), sender, Instant::now()))?;
        Ok(receiver)
    }

    fn step(&self) -> Vec<u32> {
        self.go.send(()).expect("the scheduler lives");
        self.steps.recv_timeout(Duration::from_secs(60)).expect("a step is computed")
    }
}

fn firsts(answer: Answer) -> Vec<f32> {
    answer.blocking_recv().unwrap().unwrap().iter().map(|output| output.numbers[0]).collect()
}

#[test]
fn short_requests_overtake_long_ones() {
    let bench = Bench::start(LoadOptions::default());
    let length = limits::EMBED_STEP_TOKENS / 4;
    let long = bench.push(&[1, 2, 3, 4, 5, 6, 7, 8, 9], length).unwrap();
    // The first step may begin before the second request is there.
    assert_eq!(bench.step(), [1, 2, 3, 4]);
    let short = bench.push(&[100], length).unwrap();
    // The step after the one that is already planned takes both.
    let mut seen = Vec::new();
    while !seen.contains(&100) {
        seen = bench.step();
    }
    assert_eq!(firsts(short), [100.0]);
    while !seen.contains(&9) {
        seen = bench.step();
    }
    assert_eq!(firsts(long), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
    drop(bench.go);
    bench.queue.orphan();
    bench.thread.join().unwrap();
}

#[test]
fn failures_end_alone() {
    for (hostile, expect) in [(PANICS, "panicked"), (FAILS, "scripted failure"), (IS_NOT_FINITE, "not finite")] {
        let bench = Bench::start(LoadOptions::default());
        // Holds the thread in a step while the three requests come together.
        let first = bench.push(&[1], 1).unwrap();
        let before = bench.push(&[2, 3], 1).unwrap();
        let bad = bench.push(&[4, hostile], 1).unwrap();
        let after = bench.push(&[5], 1).unwrap();
        // More steps than can be needed; those that are not are left over.
        (0..20).for_each(|_| bench.go.send(()).unwrap());
        let error = bad.blocking_recv().unwrap().unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
        assert_eq!((firsts(first), firsts(before), firsts(after)), (vec![1.0], vec![2.0, 3.0], vec![5.0]));
        bench.queue.orphan();
        bench.thread.join().unwrap();
    }
}

#[test]
fn who_leaves_costs_nothing_and_the_queue_is_bounded() {
    let options = LoadOptions { queue_requests_max: 2, slots: 1, ..LoadOptions::default() };
    let bench = Bench::start(options);
    let first = bench.push(&[1], 1).unwrap();
    // Until the thread has taken it.
    while bench.queue.waiting() > 0 {
        std::thread::yield_now();
    }
    let left = bench.push(&[2], 1).unwrap();
    let stays = bench.push(&[3], 1).unwrap();
    let refused = bench.push(&[4], 1).unwrap_err();
    assert!(matches!(refused, EngineError::Overloaded { .. }), "{refused}");
    drop(left);
    let instead = bench.push(&[5], 1).unwrap();
    assert_eq!((bench.step(), bench.step(), bench.step()), (vec![1], vec![3], vec![5]));
    assert_eq!((firsts(first), firsts(stays), firsts(instead)), (vec![1.0], vec![3.0], vec![5.0]));
    bench.queue.close();
    assert_eq!(bench.push(&[6], 1).unwrap_err(), EngineError::ShuttingDown);
    bench.queue.orphan();
    bench.thread.join().unwrap();
}

#[test]
fn who_waits_too_long_is_refused() {
    let bench = Bench::start(LoadOptions { queue_wait_max: Duration::ZERO, ..LoadOptions::default() });
    let late = bench.push(&[1], 1).unwrap().blocking_recv().unwrap().unwrap_err();
    assert!(matches!(late, EngineError::Overloaded { .. }), "{late}");
    let tokens = limits::EMBED_QUEUE_TOKENS_MAX + 1;
    assert!(matches!(bench.push(&[1], tokens), Err(EngineError::Overloaded { .. })));
    bench.queue.orphan();
    bench.thread.join().unwrap();
}

#[test]
fn groups_are_even() {
    let check = |lengths: &[usize], threads: usize, expect: &[usize], by: Threads| {
        let (groups, who) = groups(lengths, threads);
        let mut rows: Vec<usize> = groups.iter().map(|group| group.iter().map(|&index| lengths[index]).sum()).collect();
        rows.sort_unstable();
        assert_eq!((rows.as_slice(), who), (expect, by), "{lengths:?} by {threads}");
        let mut all: Vec<usize> = groups.into_iter().flatten().collect();
        all.sort_unstable();
        assert_eq!(all, (0..lengths.len()).collect::<Vec<_>>());
    };
    check(&[5], 1, &[5], Threads::One);
    check(&[5], 4, &[5], Threads::All);
    check(&[10, 10], 2, &[20], Threads::All);
    check(&[40, 40], 2, &[40, 40], Threads::One);
    check(&[300, 10, 10], 2, &[20, 300], Threads::All);
    check(&[100; 8], 2, &[200, 200, 200, 200], Threads::One);
    check(&[64; 6], 1, &[192, 192], Threads::One);
}
