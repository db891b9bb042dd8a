//! A network's gradients as named tensors, for checks by term and by network.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

use crate::weights::NamedTensors;

/// The gradient of every parameter that one backward pass reached, by its path in the network.
pub fn gradients<M: Module>(network: &M, of: &Gradients) -> NamedTensors {
    let mut visit = Visit { path: Vec::new(), of, found: NamedTensors::new() };
    network.visit(&mut visit);
    visit.found
}

struct Visit<'a> {
    path: Vec<String>,
    of: &'a Gradients,
    found: NamedTensors,
}

impl ModuleVisitor for Visit<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.of) {
            self.found.insert(self.path.join("."), gradient.into_data());
        }
    }
}
