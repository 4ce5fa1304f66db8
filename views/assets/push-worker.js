/**
 * Hears of notices in a browser that subscribed to them. Its scope is its own folder, so it stands between no page and the network.
 */
self.addEventListener('push', (event) => {
  let notice = {}
  try {
    notice = event.data?.json() ?? {}
  } catch {
    // What is no notice of ours is still announced: a browser withdraws the subscription of one that stays silent.
  }
  const { id, topic, title = 'Toolpass', text = 'Something waits for you.', link = '' } = notice
  const shown = { body: text, tag: id, data: { link }, requireInteraction: topic === 'approvals' }
  event.waitUntil(self.registration.showNotification(title, shown))
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const link = new URL(event.notification.data?.link || '/', self.location.href)
  // A link leads to pages of this very origin, or to none.
  const target = link.origin === self.location.origin ? link.href : new URL('/', self.location.href).href
  event.waitUntil(self.clients.openWindow(target))
})
