use std::sync::mpsc;

use super::*;

/// Why a number has no double.
#[derive(Clone, Debug, PartialEq)]
enum Trouble {
    Refused(Refusal),
    Bad(i32),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Doubles numbers, fails for numbers below 0 and panics for 13; each step waits for a permit. A number costs and weighs as many as it has
/// thousands, at least 1.
struct Doubles {
    permits: mpsc::Receiver<()>,
    steps: mpsc::Sender<Vec<i32>>,
}

impl Compute for Doubles {
    type Input = i32;
    type Output = i32;
    type Error = Trouble;

    fn compute(&mut self, inputs: &[&i32]) -> Result<Vec<i32>, Trouble> {
        self.permits.recv_timeout(Duration::from_secs(60)).expect("a permit");
        self.steps.send(inputs.iter().map(|&&input| input).collect()).expect("the test listens");
        assert!(!inputs.contains(&&13), "13");
        match inputs.iter().find(|input| ***input < 0) {
            Some(&&input) => Err(Trouble::Bad(input)),
            None => Ok(inputs.iter().map(|&&input| input * 2).collect()),
        }
    }

    fn cost(input: &i32) -> usize {
        (input.unsigned_abs() as usize / 1000).max(1)
    }

    fn weight(input: &i32) -> usize {
        Self::cost(input)
    }
}

struct Bench {
    batcher: Batcher<i32, i32, Trouble>,
    permits: mpsc::Sender<()>,
    steps: mpsc::Receiver<Vec<i32>>,
}

impl Bench {
    fn start(batching: Batching) -> Self {
        let ((permits, permitted), (report, steps)) = (mpsc::channel(), mpsc::channel());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
        let doubles = Doubles { permits: permitted, steps: report };
        let batcher = Batcher::start("test", batching, pool, doubles).expect("a thread");
        Self { batcher, permits, steps }
    }

    fn ask(&self, inputs: &[i32]) -> Answer<i32, Trouble> {
        self.batcher.submit(inputs.to_vec()).expect("room")
    }

    /// Keeps the thread busy with the number 1 until the first permit.
    fn occupy(&self) -> Answer<i32, Trouble> {
        let first = self.ask(&[1]);
        while self.batcher.activity().running == 0 {
            std::thread::yield_now();
        }
        first
    }

    fn permit(&self, count: usize) {
        (0..count).for_each(|_| self.permits.send(()).expect("the thread"));
    }

    /// What was computed so far, step by step; the answers must be there.
    fn log(&self) -> Vec<Vec<i32>> {
        self.steps.try_iter().collect()
    }
}

/// Steps of so many inputs.
fn batching(most: usize) -> Batching {
    Batching {
        step_cost_max: most,
        running_max: most,
        gather: Duration::ZERO,
        requests_max: 8,
        weight_max: 50,
        wait_max: Duration::from_secs(60),
    }
}

fn answer(answer: Answer<i32, Trouble>) -> Result<Vec<i32>, Trouble> {
    answer.wait_blocking()
}

fn is_overloaded<T>(result: Result<T, Refusal>) -> bool {
    matches!(result, Err(Refusal::Overloaded { retry_after }) if !retry_after.is_zero())
}

#[test]
fn what_waits_is_computed_together() {
    let bench = Bench::start(batching(4));
    let first = bench.occupy();
    let (two, three) = (bench.ask(&[2, 3]), bench.ask(&[4]));
    assert_eq!(bench.batcher.activity(), Activity { running: 1, waiting: 2, computed: 0 });
    bench.permit(2);
    assert_eq!(answer(first), Ok(vec![2]));
    assert_eq!(answer(two), Ok(vec![4, 6]));
    assert_eq!(answer(three), Ok(vec![8]));
    assert_eq!(bench.log(), [vec![1], vec![2, 3, 4]]);
    assert_eq!(bench.batcher.activity(), Activity { running: 0, waiting: 0, computed: 4 });
}

#[test]
fn a_long_request_does_not_hold_up_a_short_one() {
    let bench = Bench::start(batching(2));
    let first = bench.occupy();
    let (long, short) = (bench.ask(&[5, 6, 7, 8, 9]), bench.ask(&[2]));
    let next = bench.ask(&[3, 4]);
    bench.permit(5);
    for (waits, expect) in [(first, vec![2]), (short, vec![4]), (next, vec![6, 8]), (long, vec![10, 12, 14, 16, 18])] {
        assert_eq!(answer(waits), Ok(expect));
    }
    assert_eq!(bench.log(), [vec![1], vec![5, 2], vec![6, 3], vec![7, 4], vec![8, 9]]);
}

#[test]
fn a_step_is_bounded_by_its_cost() {
    let bench = Bench::start(batching(4));
    let first = bench.occupy();
    let (some, large) = (bench.ask(&[2000, 2001, 2]), bench.ask(&[9000, 1000]));
    bench.permit(9);
    assert_eq!(answer(first), Ok(vec![2]));
    assert_eq!(answer(some), Ok(vec![4000, 4002, 4]));
    assert_eq!(answer(large), Ok(vec![18000, 2000]));
    // One input may pass the bound, alone.
    assert_eq!(bench.log(), [vec![1], vec![2000], vec![2001], vec![2], vec![9000], vec![1000]]);
}

#[test]
fn only_the_bad_request_fails() {
    let panicked = Trouble::Refused(Refusal::Failed("the model panicked"));
    for (bad, reason) in [(-3, Trouble::Bad(-3)), (13, panicked)] {
        let bench = Bench::start(batching(5));
        let first = bench.occupy();
        let (good, broken, other) = (bench.ask(&[2, 3]), bench.ask(&[5, bad]), bench.ask(&[4]));
        bench.permit(5);
        assert_eq!(answer(first), Ok(vec![2]));
        assert_eq!(answer(good), Ok(vec![4, 6]));
        assert_eq!(answer(broken), Err(reason));
        assert_eq!(answer(other), Ok(vec![8]));
        assert_eq!(bench.log(), [vec![1], vec![2, 3, 5, bad, 4], vec![2, 3], vec![5, bad], vec![4]]);
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
    assert!(is_overloaded(bench.batcher.prepare()) && is_overloaded(bench.batcher.submit(vec![4])));
    drop(two);
    let four = bench.ask(&[4]);
    bench.permit(2);
    assert_eq!((answer(first), answer(three), answer(four)), (Ok(vec![2]), Ok(vec![6]), Ok(vec![8])));
}

#[test]
fn the_weight_of_what_waits_is_bounded() {
    let bench = Bench::start(batching(1));
    let first = bench.occupy();
    assert!(is_overloaded(bench.batcher.submit(vec![51_000])));
    let (most, one) = (bench.ask(&[20_000, 29_000]), bench.ask(&[1000]));
    assert!(is_overloaded(bench.batcher.submit(vec![2])));
    drop(most);
    let other = bench.ask(&[49_000]);
    bench.permit(3);
    assert_eq!((answer(first), answer(one), answer(other)), (Ok(vec![2]), Ok(vec![2000]), Ok(vec![98_000])));
}

#[test]
fn requests_that_wait_too_long_are_refused() {
    let bench = Bench::start(Batching { wait_max: Duration::ZERO, ..batching(4) });
    assert!(matches!(answer(bench.ask(&[1])), Err(Trouble::Refused(Refusal::Overloaded { .. }))));
}

#[test]
fn closing_refuses_new_requests_and_answers_the_old() {
    let bench = Bench::start(batching(1));
    let first = bench.occupy();
    let second = bench.ask(&[2]);
    let coming = bench.batcher.prepare().expect("room");
    bench.batcher.close();
    assert!(matches!(bench.batcher.prepare(), Err(Refusal::Closed)));
    assert!(matches!(coming.submit(vec![3]), Err(Refusal::Closed)));
    let Bench { batcher, permits, steps } = bench;
    drop(batcher);
    (0..2).for_each(|_| permits.send(()).expect("the thread"));
    assert_eq!((answer(first), answer(second)), (Ok(vec![2]), Ok(vec![4])));
    // The thread ends and lets the model go.
    assert!(steps.iter().count() == 2);
}

#[test]
fn a_step_waits_for_what_is_being_prepared() {
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
fn no_inputs_need_no_turn() {
    let bench = Bench::start(batching(1));
    assert_eq!(answer(bench.ask(&[])), Ok(vec![]));
}
