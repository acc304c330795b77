// Calls the tasks of rows, gates, layers and losses. This is a part of the compiled crate, where `F` is the float. The test fails
// if a task is missing here.

pub fn rows(level: Level, pass: Pass<'_, F>, row: &AnyActivation) {
    match row {
        AnyActivation::Softmax(f) => f.run(level, pass),
        AnyActivation::LogSoftmax(f) => f.run(level, pass),
        AnyActivation::Sparsemax(f) => f.run(level, pass),
        _ => Hardmax::default().run(level, pass),
    }
}

pub fn from_output(y: &[F], grad_x: &mut [F]) {
    Elu::default().backward_from_output(y, y, grad_x);
    Softplus::default().backward_from_output(y, y, grad_x);
    Tanh.backward_from_output(y, y, grad_x);
    Softmax::default().backward_from_output(y, y, grad_x);
    LogSoftmax::default().backward_from_output(y, y, grad_x);
    Sparsemax::default().backward_from_output(y, y, grad_x);
}

pub fn sums(x: &[F], y: &mut [F], sum: &mut LogSumExp<F>) -> F {
    sum.push_slice(x);
    sum.normalise(x, y);
    log_sum_exp_rows(x, 8, y);
    log_sum_exp_backward(x, 1.0, y);
    log_sum_exp(x)
}

pub fn gates(level: Level, pass: GatePass<'_, F>, number: u8) {
    match number {
        0 => Glu.run(level, pass),
        1 => SwiGlu.run(level, pass),
        2 => GeGlu.run(level, pass),
        3 => GeGluTanh.run(level, pass),
        4 => ReGlu.run(level, pass),
        5 => ClampedSwiGlu::default().run(level, pass),
        _ => Gated(Tanh).run(level, pass),
    }
}

pub fn layers(level: Level, pass: Pass<'_, F>, x: &[F], grad_x: &mut [F], sums: &mut [F]) {
    Biased { activation: Tanh, bias: x }.backward_with_bias(x, x, grad_x, sums);
    Prelu::new(x).backward_with_slopes(x, x, grad_x, sums);
    Prelu::new(x).run(level, pass);
}

pub fn trained(x: &[F], grad_x: &mut [F], sums: [&mut [F]; 2], second: &mut [F]) {
    let [first, other] = sums;
    PerChannel::new(SnakeA, [x]).backward_with_parameters(x, x, grad_x, [&mut *first]);
    PerChannel::new(XieluAlphas { beta: 0.5 }, [x, x]).backward_with_parameters(x, x, grad_x, [first, other]);
    Tanh.second_derivative(x, second);
}

pub fn losses(x: &[F], classes: &[usize], grad: &mut [F], of_classes: &CrossEntropy, binary: &BinaryCrossEntropy) -> F {
    let loss = binary.loss(x, x) + binary.loss_and_gradient(x, x, grad);
    loss + of_classes.loss_and_gradient(x, classes, grad) + of_classes.loss(x, Targets::distributions(x))
}
