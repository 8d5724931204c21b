/** Runs before `stock`, in its image and with its mounts (skiff.dev/pre-start.stock): writes what the database knows to a file. */
import { writeFileSync } from 'node:fs'

const response = await fetch(`${process.env.DATABASE}/tables/products`)
if (!response.ok) throw new Error(`the database answers ${response.status}: ${await response.text()}`)
writeFileSync('/cache/products.json', await response.text())
console.log('the cache is warm')
