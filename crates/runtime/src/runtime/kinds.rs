use crate::{
    ask::{Entrance, KindRef},
    partition::PartitionHandles,
    registration::{Connect, Connected},
};
use actum_model::Entity;
use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::Arc,
};

/// Where commands of each kind enter, by its type and by its name.
pub(super) struct Kinds {
    by_type: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    by_name: HashMap<&'static str, KindRef>,
}

impl Kinds {
    pub(super) fn connect(
        connects: impl IntoIterator<Item = (TypeId, Connect)>,
        partitions: &PartitionHandles,
    ) -> Self {
        let mut kinds = Self { by_type: HashMap::new(), by_name: HashMap::new() };
        for (type_id, connect) in connects {
            let Connected { by_type, by_name } = connect(partitions);
            kinds.by_type.insert(type_id, by_type);
            kinds.by_name.insert(by_name.name(), by_name);
        }
        kinds
    }

    pub(super) fn of_type<E: Entity>(&self) -> Option<&Arc<Entrance<E>>> {
        self.by_type.get(&TypeId::of::<E>())?.downcast_ref()
    }

    pub(super) fn of_name(&self, name: &str) -> Option<&KindRef> {
        self.by_name.get(name)
    }
}
