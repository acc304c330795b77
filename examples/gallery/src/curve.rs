//! Curves of functions: points, and the places where they jump.

pub(crate) type Point = (f64, f64);

/// How many points there are in a unit of x. The functions of the crate have their kinks at multiples of a half.
const DENSITY: i32 = 400;

/// A step of this size between neighbouring points is a jump. Beyond 1 the step is relative to the value. Slopes are far below 40, or far
/// below 40 times the value.
const JUMP: f32 = 0.1;

fn is_jump(here: f32, there: f32) -> bool {
    (there - here).abs() > JUMP * here.abs().max(1.0)
}

/// The graph of a function, in pieces that end where it jumps.
pub(crate) struct Curve {
    pub(crate) pieces: Vec<Vec<Point>>,
    /// At each jump, the value there, and the limit of the other side.
    pub(crate) jumps: Vec<[Point; 2]>,
}

impl Curve {
    /// # Panics
    /// If the function jumps at a place between the points.
    pub(crate) fn of(f: impl Fn(f32) -> f32, from: i32, to: i32) -> Self {
        let point = |x: f32| (f64::from(x), f64::from(f(x)));
        let mut curve = Self { pieces: vec![Vec::new()], jumps: Vec::new() };
        for i in from * DENSITY..=to * DENSITY {
            let (x, next) = (i as f32 / DENSITY as f32, (i + 1) as f32 / DENSITY as f32);
            let piece = curve.pieces.last_mut().expect("begins with one");
            piece.push(point(x));
            if i == to * DENSITY || !is_jump(f(x), f(next)) {
                continue;
            }
            let jump = if is_jump(f(x), f(x.next_up())) {
                let jump = [point(x), (f64::from(x), f64::from(f(x.next_up())))];
                curve.pieces.push(vec![jump[1]]);
                jump
            } else {
                assert!(is_jump(f(next), f(next.next_down())), "a jump between {x} and {next}");
                let jump = [point(next), (f64::from(next), f64::from(f(next.next_down())))];
                piece.push(jump[1]);
                curve.pieces.push(Vec::new());
                jump
            };
            curve.jumps.push(jump);
        }
        curve
    }

    /// Lines from point to point.
    pub(crate) fn through(points: Vec<Point>) -> Self {
        Self { pieces: vec![points], jumps: Vec::new() }
    }

    /// The value at one of the points; `None` where it jumps.
    pub(crate) fn at(&self, x: f64) -> Option<f64> {
        let jumps = self.jumps.iter().any(|[(at, _), _]| *at == x);
        let mut points = self.pieces.iter().flatten().filter(|_| !jumps);
        points.find(|(at, _)| *at == x).map(|(_, y)| *y)
    }

    /// The least and the greatest y.
    pub(crate) fn extent(&self) -> (f64, f64) {
        let ys = self.pieces.iter().flatten().map(|(_, y)| *y);
        ys.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)))
    }
}
