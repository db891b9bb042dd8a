//! A module's parameters by their path in it: read, measured, replaced, and their gradients.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Shape, Tensor, TensorData};

use crate::weights::NamedTensors;

/// Every float parameter by its path in the module.
pub fn collect<M: Module>(module: &M) -> NamedTensors {
    let mut tensors = NamedTensors::new();
    visit(module, &mut |it| drop(tensors.insert(it.path, (it.values)())));
    tensors
}

/// The gradient of every parameter that one backward pass reached, for checks by term and by
/// network.
pub fn gradients<M: Module>(module: &M, of: &Gradients) -> NamedTensors {
    let mut found = NamedTensors::new();
    visit(module, &mut |it| found.extend((it.gradient)(of).map(|gradient| (it.path, gradient))));
    found
}

/// The shapes of all parameters, without a look at the values.
pub(crate) fn shapes<M: Module>(module: &M) -> BTreeMap<String, Vec<usize>> {
    let mut shapes = BTreeMap::new();
    visit(module, &mut |it| drop(shapes.insert(it.path, it.shape.to_vec())));
    shapes
}

/// The module with other values, which stay where its own were.
///
/// # Panics
/// If there is not one of the same shape for every parameter.
pub(crate) fn replace<M: Module>(module: M, tensors: NamedTensors) -> M {
    module.map(&mut Replace { path: Vec::new(), tensors })
}

/// A float parameter of any rank, where a visitor meets it.
struct Met<'a> {
    path: String,
    shape: Shape,
    values: &'a dyn Fn() -> TensorData,
    gradient: &'a dyn Fn(&Gradients) -> Option<TensorData>,
}

type See<'a> = dyn FnMut(Met<'_>) + 'a;

fn visit<M: Module>(module: &M, see: &mut See<'_>) {
    module.visit(&mut Visit { path: Vec::new(), see });
}

struct Visit<'a, 'b> {
    path: Vec<String>,
    see: &'a mut See<'b>,
}

impl ModuleVisitor for Visit<'_, '_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        (self.see)(Met {
            path: self.path.join("."),
            shape: param.lazy_shape(),
            values: &|| param.val().into_data(),
            gradient: &|of| param.val().grad(of).map(Tensor::into_data),
        });
    }
}

struct Replace {
    path: Vec<String>,
    tensors: NamedTensors,
}

impl ModuleMapper for Replace {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let data = self.tensors.remove(&self.path.join(".")).expect("one for every parameter");
        assert_eq!(*data.shape(), param.lazy_shape(), "of the same shape");
        // A parameter that was never used is not made only to be replaced.
        let (id, device) = (param.id, param.lazy_device());
        param.transform_for_load(Tensor::from_data(data, &device), id)
    }
}
