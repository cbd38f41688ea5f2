use std::sync::Mutex;
use std::sync::mpsc;

use super::*;

/// What the model was asked to compute, batch by batch.
type Log = Arc<Mutex<Vec<Vec<i32>>>>;

/// A model that doubles numbers, fails for numbers below 0 and panics for 13; each batch waits for a permit.
struct Bench {
    batcher: Batcher<i32, i32>,
    permits: mpsc::Sender<()>,
    log: Log,
}

impl Bench {
    fn start(batching: Batching) -> Self {
        let (permits, waiting) = mpsc::channel();
        let log = Log::default();
        let written = Arc::clone(&log);
        let compute = move |items: &[&i32]| {
            waiting.recv().expect("a permit");
            written.lock().expect("the log").push(items.iter().map(|&&item| item).collect());
            assert!(!items.contains(&&13), "13");
            match items.iter().find(|item| ***item < 0) {
                Some(item) => Err(VisionError::Failed(format!("{item} is bad"))),
                None => Ok(items.iter().map(|&&item| item * 2).collect()),
            }
        };
        let batcher = Batcher::start("test", batching, compute).expect("a thread");
        Self { batcher, permits, log }
    }

    fn ask(&self, items: &[i32]) -> oneshot::Receiver<Result<Vec<i32>, VisionError>> {
        self.batcher.prepare().expect("room").submit(items.to_vec()).expect("room")
    }

    /// Keeps the thread busy with the number 1 until the first permit.
    fn occupy(&self) -> oneshot::Receiver<Result<Vec<i32>, VisionError>> {
        let first = self.ask(&[1]);
        while self.batcher.activity().running == 0 {
            std::thread::yield_now();
        }
        first
    }

    fn permit(&self, count: usize) {
        (0..count).for_each(|_| self.permits.send(()).expect("the thread"));
    }

    fn log(&self) -> Vec<Vec<i32>> {
        self.log.lock().expect("the log").clone()
    }
}

fn batching(items_max: usize) -> Batching {
    Batching { items_max, gather: Duration::ZERO, requests_max: 8, wait_max: Duration::from_secs(60) }
}

fn answer(receiver: oneshot::Receiver<Result<Vec<i32>, VisionError>>) -> Result<Vec<i32>, VisionError> {
    receiver.blocking_recv().expect("an answer")
}

#[test]
fn what_waits_is_computed_together() {
    let bench = Bench::start(batching(4));
    let first = bench.occupy();
    let (two, three) = (bench.ask(&[2, 3]), bench.ask(&[4]));
    assert_eq!(bench.batcher.activity(), Activity { running: 1, waiting: 2 });
    bench.permit(2);
    assert_eq!(answer(first), Ok(vec![2]));
    assert_eq!(answer(two), Ok(vec![4, 6]));
    assert_eq!(answer(three), Ok(vec![8]));
    assert_eq!(bench.log(), [vec![1], vec![2, 3, 4]]);
}

#[test]
fn a_long_request_does_not_hold_up_a_short_one() {
    let bench = Bench::start(batching(2));
    let first = bench.occupy();
    let (long, short) = (bench.ask(&[5, 6, 7, 8, 9]), bench.ask(&[2]));
    let next = bench.ask(&[3, 4]);
    bench.permit(5);
    for (receiver, expect) in [(first, vec![2]), (short, vec![4]), (next, vec![6, 8]), (long, vec![10, 12, 14, 16, 18])]
    {
        assert_eq!(answer(receiver), Ok(expect));
    }
    assert_eq!(bench.log(), [vec![1], vec![5, 2], vec![6, 3], vec![7, 4], vec![8, 9]]);
}

#[test]
fn only_the_bad_request_fails() {
    for (bad, reason) in [(-3, "-3 is bad"), (13, "the network gave up on this picture")] {
        let bench = Bench::start(batching(4));
        let first = bench.occupy();
        let (good, broken, other) = (bench.ask(&[2, 3]), bench.ask(&[bad]), bench.ask(&[4]));
        bench.permit(6);
        assert_eq!(answer(first), Ok(vec![2]));
        assert_eq!(answer(good), Ok(vec![4, 6]));
        assert_eq!(answer(broken), Err(VisionError::Failed(reason.to_owned())));
        assert_eq!(answer(other), Ok(vec![8]));
        assert_eq!(bench.log(), [vec![1], vec![2, 3, bad, 4], vec![2], vec![3], vec![bad], vec![4]]);
    }
}

#[test]
fn requests_that_nobody_waits_for_are_left_out() {
    let bench = Bench::start(batching(4));
    let first = bench.occupy();
    drop(bench.ask(&[2]));
    let last = bench.ask(&[3]);
    bench.permit(2);
    assert_eq!((answer(first), answer(last)), (Ok(vec![2]), Ok(vec![6])));
    assert_eq!(bench.log(), [vec![1], vec![3]]);
}

#[test]
fn the_queue_is_bounded() {
    let bench = Bench::start(Batching { requests_max: 2, ..batching(4) });
    let first = bench.occupy();
    let (two, three) = (bench.ask(&[2]), bench.ask(&[3]));
    assert!(matches!(bench.batcher.prepare(), Err(VisionError::Overloaded { retry_after }) if !retry_after.is_zero()));
    drop(two);
    let four = bench.ask(&[4]);
    bench.permit(2);
    assert_eq!((answer(first), answer(three), answer(four)), (Ok(vec![2]), Ok(vec![6]), Ok(vec![8])));
}

#[test]
fn requests_that_wait_too_long_are_refused() {
    let bench = Bench::start(Batching { wait_max: Duration::ZERO, ..batching(4) });
    assert!(matches!(answer(bench.ask(&[1])), Err(VisionError::Overloaded { .. })));
}

#[test]
fn closing_refuses_new_requests_and_answers_the_old() {
    let bench = Bench::start(batching(1));
    let first = bench.occupy();
    let second = bench.ask(&[2]);
    let coming = bench.batcher.prepare().expect("room");
    bench.batcher.close();
    assert!(matches!(bench.batcher.prepare(), Err(VisionError::ShuttingDown)));
    assert!(matches!(coming.submit(vec![3]), Err(VisionError::ShuttingDown)));
    let Bench { batcher, permits, .. } = bench;
    drop(batcher);
    (0..2).for_each(|_| permits.send(()).expect("the thread"));
    assert_eq!((answer(first), answer(second)), (Ok(vec![2]), Ok(vec![4])));
}

#[test]
fn a_batch_waits_for_what_is_being_prepared() {
    let bench = Bench::start(Batching { gather: Duration::from_secs(60), ..batching(4) });
    let coming = bench.batcher.prepare().expect("room");
    let first = bench.ask(&[1]);
    let second = coming.submit(vec![2]).expect("room");
    bench.permit(1);
    assert_eq!((answer(first), answer(second)), (Ok(vec![2]), Ok(vec![4])));
    assert_eq!(bench.log(), [vec![1, 2]]);
    // One that is given up is not waited for.
    let given_up = bench.batcher.prepare().expect("room");
    let third = bench.ask(&[3]);
    drop(given_up);
    bench.permit(1);
    assert_eq!(answer(third), Ok(vec![6]));
}

#[test]
fn no_items_need_no_turn() {
    let bench = Bench::start(batching(1));
    assert_eq!(answer(bench.ask(&[])), Ok(vec![]));
}
